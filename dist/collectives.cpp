// Everything is gathered, then added up by each rank alike.
#include "dist/collectives.hpp"

#include <algorithm>

namespace plume::dist {
namespace {

template <class T>
void sum_in_order(Communicator& communicator, std::span<T> values) {
  if (communicator.size() == 1) return;
  std::vector<T> all(values.size() * static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(values.data(), all.data(), values.size_bytes());
  std::copy_n(all.begin(), values.size(), values.begin());
  for (std::size_t i = values.size(); i < all.size(); ++i) values[i % values.size()] += all[i];
}

}  // namespace

void sum(Communicator& communicator, std::span<double> values) {
  sum_in_order(communicator, values);
}

void sum(Communicator& communicator, std::span<std::int64_t> values) {
  sum_in_order(communicator, values);
}

void broadcast(Communicator& communicator, std::string& text, int root) {
  std::uint64_t size = text.size();
  communicator.broadcast(&size, sizeof size, root);
  text.resize(size);
  communicator.broadcast(text.data(), size, root);
}

void barrier(Communicator& communicator) {
  static_cast<void>(gathered(communicator, char{0}));
}

}  // namespace plume::dist
