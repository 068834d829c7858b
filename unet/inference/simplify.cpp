// Fewer corners, but never a polygon that is none.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "unet/inference/polygons.hpp"

namespace plume::unet {
namespace {

// Twice the area of the triangle; positive where c lies to one side of the way from a to b, negative to the other.
std::int64_t turn(Corner a, Corner b, Corner c) {
  return (std::int64_t{b.x} - a.x) * (std::int64_t{c.y} - a.y) - (std::int64_t{b.y} - a.y) * (std::int64_t{c.x} - a.x);
}

std::int64_t twice_area(const Ring& ring) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) sum += turn(ring[0], ring[i], ring[i + 1]);
  return sum;
}

double distance(Corner point, Corner from, Corner to) {
  const double dx = to.x - from.x;
  const double dy = to.y - from.y;
  const double squared = dx * dx + dy * dy;
  const double along =
      squared == 0 ? 0 : std::clamp(((point.x - from.x) * dx + (point.y - from.y) * dy) / squared, 0.0, 1.0);
  return std::hypot(point.x - from.x - along * dx, point.y - from.y - along * dy);
}

// An edge of a simplified ring, with the corner behind it.
struct Edge {
  Corner from, to, behind;
  std::size_t ring;
  std::size_t first, last;  // where its ends are among the exact ring's corners
  std::size_t next;         // the edge behind it
};

bool on(Corner point, const Edge& edge) {
  const auto between = [](int value, int a, int b) { return value >= std::min(a, b) && value <= std::max(a, b); };
  return turn(edge.from, edge.to, point) == 0 && between(point.x, edge.from.x, edge.to.x) &&
         between(point.y, edge.from.y, edge.to.y);
}

// Whether a point lies in the corner a-b-c, to the side where the turn is positive.
bool within(Corner a, Corner b, Corner c, Corner point) {
  const bool first = turn(a, b, point) > 0;
  const bool second = turn(b, c, point) > 0;
  return turn(a, b, c) > 0 ? first && second : first || second;
}

// Whether two edges cross, or touch in another way than in a corner of both that their rings only meet in. Where rings
// cross in a corner, the edges that lead to it do.
bool cross(const Edge& a, const Edge& b) {
  const auto touches = [&](Corner corner, const Edge& edge) {
    return on(corner, edge) && corner != edge.from && corner != edge.to;
  };
  if (touches(a.from, b) || touches(a.to, b) || touches(b.from, a) || touches(b.to, a)) return true;
  if (a.to == b.to) return within(a.from, a.to, a.behind, b.from) != within(a.from, a.to, a.behind, b.behind);
  if (a.from == b.from || a.from == b.to || a.to == b.from) return false;  // neighbours, or seen with those before them
  return (turn(a.from, a.to, b.from) > 0) != (turn(a.from, a.to, b.to) > 0) &&
         (turn(b.from, b.to, a.from) > 0) != (turn(b.from, b.to, a.to) > 0);
}

bool inside(const Ring& ring, double x, double y) {
  bool odd = false;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
    const Corner a = ring[i];
    const Corner b = ring[i + 1];
    if ((a.y > y) != (b.y > y) && x < a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x)) odd = !odd;
  }
  return odd;
}

struct Box {
  int left, top, right, bottom;
};

template <class Corners>
Box box_of(const Corners& corners) {
  const auto [left, right] =
      std::minmax_element(corners.begin(), corners.end(), [](Corner a, Corner b) { return a.x < b.x; });
  const auto [top, bottom] =
      std::minmax_element(corners.begin(), corners.end(), [](Corner a, Corner b) { return a.y < b.y; });
  return {left->x, top->y, right->x, bottom->y};
}

// Things by where they are, so that each is compared with its neighbours alone.
class Grid {
 public:
  explicit Grid(Box box)
      : box_(box),
        columns_((box.right - box.left) / edge + 1),
        cells_(static_cast<std::size_t>(columns_) * static_cast<std::size_t>((box.bottom - box.top) / edge + 1)) {}

  void add(Box box, std::size_t thing) {
    visit(box, [&](std::vector<std::size_t>& cell) { cell.push_back(thing); });
  }

  // visitor(things) of each cell that the box, which lies within the grid's, touches.
  template <class Visitor>
  void visit(Box box, Visitor&& visitor) {
    for (int row = (box.top - box_.top) / edge; row <= (box.bottom - box_.top) / edge; ++row) {
      for (int column = (box.left - box_.left) / edge; column <= (box.right - box_.left) / edge; ++column)
        visitor(cells_[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) +
                       static_cast<std::size_t>(column)]);
    }
  }

  [[nodiscard]] const std::vector<std::vector<std::size_t>>& cells() const { return cells_; }

 private:
  static constexpr int edge = 8;  // pixels
  Box box_;
  int columns_;
  std::vector<std::vector<std::size_t>> cells_;
};

// Rings of a polygon with some of their corners left out.
class Simplification {
 public:
  Simplification(const std::vector<Ring>& exact, double tolerance)
      : exact_(exact), tolerance_(tolerance), box_(box_of(exact[0])), holes_(box_) {
    for (std::size_t r = 0; r < exact.size(); ++r) {
      kept_.emplace_back(exact[r].size(), std::uint8_t{0});
      leave_out(r);
      if (const Corner corner = exact[r][0]; r > 0) holes_.add({corner.x, corner.y, corner.x, corner.y}, r);
    }
  }

  // Takes corners back until no ring has vanished, swallowed a hole, or crosses itself or another.
  void mend() {
    bool changed = true;
    while (changed) {
      changed = false;
      for (std::size_t r = 0; r < exact_.size(); ++r) changed = take_back_vanished(r) || changed;
      const std::vector<Edge> edges = edges_of_all();
      changed = take_back_at_holes(edges) || changed;
      changed = take_back_at_crossings(edges) || changed;
    }
  }

  [[nodiscard]] std::vector<Ring> rings() const {
    std::vector<Ring> result(exact_.size());
    for (std::size_t r = 0; r < exact_.size(); ++r) result[r] = ring(r);
    return result;
  }

 private:
  [[nodiscard]] Ring ring(std::size_t r) const {
    Ring result;
    for (std::size_t i = 0; i < exact_[r].size(); ++i) {
      if (kept_[r][i] != 0) result.push_back(exact_[r][i]);
    }
    return result;
  }

  // Of the corners between two that are kept, the one furthest from the edge; `first` where none is further than
  // `least`.
  [[nodiscard]] std::size_t furthest(std::size_t r, std::size_t first, std::size_t last, double least) const {
    std::size_t found = first;
    for (std::size_t i = first + 1; i < last; ++i) {
      if (const double off = distance(exact_[r][i], exact_[r][first], exact_[r][last]); off > least) {
        least = off;
        found = i;
      }
    }
    return found;
  }

  // A ring has no ends: it is taken as two ways, to the corner furthest from the first and back.
  void leave_out(std::size_t r) {
    const std::size_t last = exact_[r].size() - 1;
    split(r, 0, last, furthest(r, 0, last, 0));
  }

  // Keeps a corner and both ends, and of either way between, again and again, the corner furthest from the line, while
  // it is too far.
  void split(std::size_t r, std::size_t begin, std::size_t end, std::size_t corner) {
    std::vector<std::pair<std::size_t, std::size_t>> ways{{begin, corner}, {corner, end}};
    kept_[r][begin] = kept_[r][corner] = kept_[r][end] = 1;
    while (!ways.empty()) {
      const auto [first, last] = ways.back();
      ways.pop_back();
      const std::size_t far = furthest(r, first, last, tolerance_);
      if (far == first) continue;
      kept_[r][far] = 1;
      ways.emplace_back(first, far);
      ways.emplace_back(far, last);
    }
  }

  bool take_back_vanished(std::size_t r) {
    constexpr std::size_t triangle = 4;
    const Ring now = ring(r);
    const bool vanished = now.size() < triangle || (twice_area(now) > 0) != (twice_area(exact_[r]) > 0);
    if (vanished) std::fill(kept_[r].begin(), kept_[r].end(), std::uint8_t{1});
    return vanished;
  }

  bool take_back(const Edge& edge) {
    const std::size_t far = furthest(edge.ring, edge.first, edge.last, -1);
    if (far == edge.first) return false;
    split(edge.ring, edge.first, edge.last, far);
    return true;
  }

  // Where a pixel of a hole lies between an edge and the corners that it replaces, it has changed sides. A hole begins
  // with the edge below one of its pixels.
  bool take_back_at_holes(const std::vector<Edge>& edges) {
    bool changed = false;
    for (const Edge& edge : edges) {
      if (edge.last - edge.first < 2) continue;
      const auto first = exact_[edge.ring].begin() + static_cast<std::ptrdiff_t>(edge.first);
      Ring pocket(first, first + static_cast<std::ptrdiff_t>(edge.last - edge.first + 1));
      pocket.push_back(pocket.front());
      const auto swallowed = [&](std::size_t hole) {
        const Corner corner = exact_[hole][0];
        return hole != edge.ring && inside(pocket, corner.x + 0.5, corner.y - 0.5);
      };
      bool any = false;
      holes_.visit(box_of(pocket),
                   [&](const auto& holes) { any = any || std::any_of(holes.begin(), holes.end(), swallowed); });
      if (any) changed = take_back(edge) || changed;
    }
    return changed;
  }

  bool take_back_at_crossings(const std::vector<Edge>& edges) {
    Grid grid(box_);
    for (std::size_t e = 0; e < edges.size(); ++e) grid.add(box_of(std::array{edges[e].from, edges[e].to}), e);
    bool changed = false;
    for (const auto& cell : grid.cells()) {
      for (std::size_t i = 0; i < cell.size(); ++i) {
        for (std::size_t j = i + 1; j < cell.size(); ++j) {
          const Edge& a = edges[cell[i]];
          const Edge& b = edges[cell[j]];
          if (!cross(a, b)) continue;
          for (const Edge* edge : {&a, &b, &edges[a.next], &edges[b.next]}) changed = take_back(*edge) || changed;
        }
      }
    }
    return changed;
  }

  [[nodiscard]] std::vector<Edge> edges_of_all() const {
    std::vector<Edge> edges;
    for (std::size_t r = 0; r < exact_.size(); ++r) {
      std::vector<std::size_t> corners;
      for (std::size_t i = 0; i < exact_[r].size(); ++i) {
        if (kept_[r][i] != 0) corners.push_back(i);
      }
      const std::size_t base = edges.size();
      const std::size_t count = corners.size() - 1;
      for (std::size_t e = 0; e < count; ++e) {
        const auto at = [&](std::size_t corner) { return exact_[r][corners[corner % count]]; };
        edges.push_back({at(e), at(e + 1), at(e + 2), r, corners[e], corners[e + 1], base + (e + 1) % count});
      }
    }
    return edges;
  }

  const std::vector<Ring>& exact_;
  double tolerance_;
  Box box_;
  Grid holes_;                                   // rings but the first, by the corner they begin with
  std::vector<std::vector<std::uint8_t>> kept_;  // by ring, by corner
};

}  // namespace

void simplify(Polygon& polygon, double tolerance) {
  if (tolerance <= 0) return;
  Simplification simplification(polygon.rings, tolerance);
  simplification.mend();
  polygon.rings = simplification.rings();
}

}  // namespace plume::unet
