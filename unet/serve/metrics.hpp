// What /metrics says, in Prometheus's text format.
#pragma once

#include <string>

#include "unet/serve/budget.hpp"
#include "unet/serve/http/counts.hpp"
#include "unet/serve/scheduler.hpp"

namespace plume::serve {

[[nodiscard]] std::string metrics_text(const Scheduler& scheduler, const http::Counts& http, const Budget& budget);

}  // namespace plume::serve
