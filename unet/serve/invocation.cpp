// Decoding, computing together, encoding.
#include "unet/serve/invocation.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "unet/serve/decode.hpp"

namespace plume::serve {
namespace {

MediaType content_type_of(const http::Request& request) {
  auto type = parse_media_type(request.header("Content-Type"));
  if (type) return std::move(*type);
  throw request_error(Status::unsupported_media_type,
                      "Content-Type says no type of the body, such as application/json");
}

void require_identity(std::string_view coding) {
  if (coding.empty() || http::same_name(coding, "identity")) return;
  throw request_error(Status::unsupported_media_type, "Content-Encoding is {}; send the body as it is", coding);
}

constexpr float usual_threshold = 0.5F;

// SageMaker hands this header to containers, and what they give back to clients.
constexpr const char* custom_attributes = "X-Amzn-SageMaker-Custom-Attributes";
constexpr std::size_t longest_attributes = 1024;

bool may_echo(std::string_view text) {
  return !text.empty() && text.size() <= longest_attributes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

Invocation::Invocation(http::Request request, http::Reply reply, std::shared_ptr<Model> model,
                       const InvocationSettings& settings, Budget& budget)
    : request_(std::move(request)),
      reply_(std::move(reply)),
      model_(std::move(model)),
      limits_(settings.limits),
      content_type_(content_type_of(request_)),
      answer_type_(choose_answer(request_.header("Accept"), settings.default_accept,
                                 settings.threshold.value_or(model_->threshold().value_or(usual_threshold)))),
      share_(budget) {
  require_identity(request_.header("Content-Encoding"));
}

void Invocation::decode() {
  const BodyDescription description{content_type_, request_.header("X-Plume-Shape"), request_.header("X-Plume-Dtype")};
  batch_ = decode_body(request_.body, description, limits_);
  request_.body = {};
  require_fit(batch_, model_->graph().input.bands, model_->size_multiple(), limits_);
  require_holds(answer_type_, batch_);
  if (!share_.grow(batch_.pixels.size() * sizeof(float))) {
    throw request_error(Status::service_unavailable, "the requests at hand take all the memory that there is for them");
  }
}

void Invocation::compute(std::span<const std::shared_ptr<Job>> jobs, bool alone) {
  Model& model = *static_cast<Invocation&>(*jobs.front()).model_;
  const int classes = model.graph().classes;
  std::vector<float> pixels;
  int images = 0;
  for (const auto& job : jobs) images += job->images();
  const auto& first = static_cast<Invocation&>(*jobs.front()).batch_;
  if (jobs.size() > 1) {
    for (const auto& job : jobs) {
      const auto& more = static_cast<Invocation&>(*job).batch_.pixels;
      pixels.insert(pixels.end(), more.begin(), more.end());
    }
  }
  const float* const from = jobs.size() > 1 ? pixels.data() : first.pixels.data();
  std::vector<float> probability = model.predict(from, images, first.height, first.width, alone);
  const float* next = probability.data();
  for (const auto& job : jobs) {
    auto& invocation = static_cast<Invocation&>(*job);
    const ImageBatch& batch = invocation.batch_;
    Probabilities& its = invocation.probabilities_;
    its = {batch.images, batch.height, batch.width, classes, {}};
    if (jobs.size() == 1) {
      its.values = std::move(probability);
    } else {
      const std::size_t count =
          probability.size() / static_cast<std::size_t>(images) * static_cast<std::size_t>(batch.images);
      its.values.assign(next, next + count);
      next += count;
    }
  }
}

void Invocation::encode() {
  Encoded encoded = encode_answer(answer_type_, std::move(batch_), std::move(probabilities_));
  share_.clear();  // before the client can ask what is in flight
  http::Response response{Status::ok, std::move(encoded.content_type), std::move(encoded.body), {}};
  const std::string_view attributes = request_.header(custom_attributes);
  if (may_echo(attributes)) response.headers.push_back({custom_attributes, std::string(attributes)});
  reply_(std::move(response));
}

void Invocation::fail(const std::exception_ptr& error) noexcept {
  reply_(response_to(error, request_.id));
}

http::Response response_to(const std::exception_ptr& error, const std::string& request_id) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const RequestError& refused) {
    return http::problem(refused.status(), refused.what(), request_id);
  } catch (const std::bad_alloc&) {
    return http::problem(Status::service_unavailable, "there is no memory for this request", request_id);
  } catch (const std::exception& bug) {
    fmt::print(stderr, "plume-infer: request {}: {}\n", request_id, bug.what());
    return http::problem(Status::internal_server_error, "the request failed; the server's log says why", request_id);
  }
}

}  // namespace plume::serve
