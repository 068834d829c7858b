// Each row adds the pixel edges between it and the row above to the regions that they bound; the edges of a region that
// has ended are put together to rings.
#include "unet/inference/polygons.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace plume::unet {

void PolygonTracer::Outline::join(Outline&& other) {
  first = std::min(first, other.first);
  area += other.area;
  sum += other.sum;
  most = std::max(most, other.most);
  if (other.borders.size() > borders.size()) borders.swap(other.borders);
  borders.insert(borders.end(), other.borders.begin(), other.borders.end());
}

namespace {

using Border = PolygonTracer::Border;

auto order(const Corner& corner) {
  return std::pair{corner.y, corner.x};
}

// Calls visit(run, first, last) for the pixels of runs that have none of their label beside them in the other row.
template <class Visit>
void for_each_gap(std::span<const Run> runs, std::span<const Run> others, const Visit& visit) {
  const Run* before = nullptr;
  int place = 0;
  const auto end = [&] {
    if (before != nullptr && place < before->last) visit(*before, place, before->last);
  };
  const auto begin = [&](const Run& run) {
    end();
    before = &run;
    place = run.first;
  };
  auto next = runs.begin();
  for_each_overlap(runs, others, [&](const Run& run, const Run& other) {
    while (before != &run) begin(*next++);
    if (place < other.first) visit(run, place, other.first);
    place = other.last;
  });
  while (next != runs.end()) begin(*next++);
  end();
}

// Rings of a region's borders, in the order of their first upper edges by rows, so the outline comes first.
class Rings {
 public:
  explicit Rings(std::vector<Border> borders) : borders_(std::move(borders)) {
    std::sort(borders_.begin(), borders_.end(),
              [](const Border& a, const Border& b) { return order(a.from) < order(b.from); });
  }

  std::vector<Ring> all() {
    std::vector<Ring> rings;
    for (Border& border : borders_) {
      if (border.heading == Border::east && !border.walked) rings.push_back(walk(border));
    }
    return rings;
  }

 private:
  Ring walk(Border& first) {
    Ring ring{first.from};
    Border* border = &first;
    do {
      border->walked = true;
      Border& next = behind(*border);
      if (next.heading != border->heading) ring.push_back(next.from);
      border = &next;
    } while (border != &first);
    return ring;
  }

  // Where two pixels of the region meet in a corner alone, the way turns left and stays beside what is outside, so a
  // ring does not touch itself: the region encloses one of the two outer pixels there.
  Border& behind(const Border& border) {
    auto next = std::lower_bound(borders_.begin(), borders_.end(), border.to,
                                 [](const Border& at, const Corner& corner) { return order(at.from) < order(corner); });
    const auto left = static_cast<Border::Heading>((border.heading + 3) % 4);
    const auto other = next + 1;
    if (next->heading != left && other != borders_.end() && other->from == border.to) ++next;
    return *next;
  }

  std::vector<Border> borders_;
};

}  // namespace

void PolygonTracer::add_row(std::span<const std::uint8_t> labels, std::span<const float> confidence) {
  regions_.connect(labels);
  const int y = row_++;
  for_each_gap(regions_.runs(), regions_.above(), [&](const Run& run, int first, int last) {
    regions_.data(run).borders.push_back({{first, y}, {last, y}, Border::east});
  });
  for_each_gap(regions_.above(), regions_.runs(), [&](const Run& run, int first, int last) {
    regions_.data(run).borders.push_back({{last, y}, {first, y}, Border::west});
  });
  for (const Run& run : regions_.runs()) {
    Outline& outline = regions_.data(run);
    outline.label = run.label;
    outline.first = std::min(outline.first, std::pair{y, run.first});
    outline.area += run.last - run.first;
    for (int x = run.first; x < run.last; ++x) {
      const float probability = confidence[static_cast<std::size_t>(x)];
      outline.sum += static_cast<double>(probability);
      outline.most = std::max(outline.most, probability);
    }
    outline.borders.push_back({{run.last, y}, {run.last, y + 1}, Border::south});
    outline.borders.push_back({{run.first, y + 1}, {run.first, y}, Border::north});
  }
  regions_.close([&](Outline&& outline) { add(std::move(outline)); });
}

void PolygonTracer::add(Outline&& outline) {
  Polygon polygon{.label = outline.label,
                  .rings = Rings(std::move(outline.borders)).all(),
                  .area = outline.area,
                  .mean_probability = static_cast<float>(outline.sum / static_cast<double>(outline.area)),
                  .max_probability = outline.most};
  simplify(polygon, tolerance_);
  found_.emplace_back(outline.first, std::move(polygon));
}

std::vector<Polygon> PolygonTracer::finish() {
  add_row({}, {});
  std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Polygon> polygons;
  polygons.reserve(found_.size());
  for (auto& [first, polygon] : found_) polygons.push_back(std::move(polygon));
  found_.clear();
  return polygons;
}

std::vector<Polygon> trace_polygons(const Prediction& prediction) {
  PolygonTracer tracer;
  const auto width = static_cast<std::size_t>(prediction.width);
  for (std::size_t first = 0; first < prediction.labels.size(); first += width)
    tracer.add_row(std::span(prediction.labels).subspan(first, width),
                   std::span(prediction.confidence).subspan(first, width));
  return tracer.finish();
}

}  // namespace plume::unet
