// The names follow https://prometheus.io/docs/practices/naming/
#include "unet/serve/metrics.hpp"

#include <fmt/core.h>

#include <string_view>

#include "unet/serve/process_state.hpp"

namespace plume::serve {
namespace {

std::string head(std::string_view name, std::string_view type, std::string_view help) {
  return fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

template <class Value>
std::string single(std::string_view name, std::string_view type, std::string_view help, Value value) {
  return head(name, type, help) + fmt::format("{} {}\n", name, value);
}

}  // namespace

std::string metrics_text(const Scheduler& scheduler, const http::Counts& http, const Budget& budget) {
  const Scheduler::Counts& counts = scheduler.counts();
  std::string text = head("plume_requests_total", "counter", "Requests that were answered, by status.");
  for (std::size_t status = 0; status < http.answers.size(); ++status) {
    const auto count = http.answers[status].load();
    if (count > 0) text += fmt::format("plume_requests_total{{code=\"{}\"}} {}\n", status, count);
  }
  text += head("plume_request_seconds", "histogram", "From a request's first byte to the last of its answer.");
  text += http.seconds.text("plume_request_seconds");
  text += head("plume_stage_seconds", "histogram",
               "Where the time of predictions goes; inference is counted once a batch.");
  text += counts.queue_seconds.text("plume_stage_seconds", "stage=\"queue\"");
  text += counts.decode_seconds.text("plume_stage_seconds", "stage=\"parse\"");
  text += counts.compute_seconds.text("plume_stage_seconds", "stage=\"infer\"");
  text += counts.encode_seconds.text("plume_stage_seconds", "stage=\"encode\"");
  text += head("plume_batch_images", "histogram", "Images that were computed together.");
  text += counts.batch_images.text("plume_batch_images");
  text += single("plume_queue_requests", "gauge", "Requests that wait to be computed.", scheduler.waiting());
  text += single("plume_queue_refused_total", "counter", "Requests that found the queue full.", counts.refused.load());
  text += single("plume_queue_expired_total", "counter", "Requests that waited too long.", counts.expired.load());
  text += single("plume_in_flight_bytes", "gauge", "Memory of bodies, images and answers at hand.", budget.used());
  text += single("plume_connections", "gauge", "Connections that are open.", http.open.load());
  text += single("plume_connections_total", "counter", "Connections that were accepted.", http.accepted.load());
  text += single("plume_connections_evicted_total", "counter", "Idle connections closed to make room.",
                 http.evicted.load());
  text +=
      single("plume_connections_broken_total", "counter", "Connections that memory ran out for.", http.broken.load());
  text += single("plume_access_log_dropped_total", "counter", "Lines there was no room for.", http.unlogged.load());
  text += single("process_resident_memory_bytes", "gauge", "Resident memory of the process.", resident_bytes());
  text += single("process_open_fds", "gauge", "Files that the process has open.", open_files());
  return text;
}

}  // namespace plume::serve
