// One request for a prediction, on its way through the scheduler.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "unet/serve/budget.hpp"
#include "unet/serve/encode.hpp"
#include "unet/serve/http/message.hpp"
#include "unet/serve/image_batch.hpp"
#include "unet/serve/media_type.hpp"
#include "unet/serve/model.hpp"
#include "unet/serve/probabilities.hpp"
#include "unet/serve/scheduler.hpp"

namespace plume::serve {

// How requests are read and answered where they do not say it themselves.
struct InvocationSettings {
  DecodeLimits limits;
  std::optional<float> threshold;  // none: the model's, or 0.5
  std::string default_accept{answer_types.front()};
};

class Invocation : public Job {
 public:
  // Throws RequestError where it can be told from the headers that there will be no answer.
  Invocation(http::Request request, http::Reply reply, std::shared_ptr<Model> model, const InvocationSettings& settings,
             Budget& budget);

  void decode() override;
  void encode() override;
  void fail(const std::exception_ptr& error) noexcept override;
  [[nodiscard]] Kind kind() const override { return {model_.get(), batch_.height, batch_.width}; }
  [[nodiscard]] int images() const override { return batch_.images; }

  // The scheduler's function: runs the model that all of the jobs share on their images.
  static void compute(std::span<const std::shared_ptr<Job>> jobs, bool alone);

 private:
  http::Request request_;
  http::Reply reply_;
  std::shared_ptr<Model> model_;
  DecodeLimits limits_;
  MediaType content_type_;
  AnswerType answer_type_;
  Share share_;
  ImageBatch batch_;
  Probabilities probabilities_;
};

// The answer to an error of any kind. What is not a client's fault goes to stderr, too.
[[nodiscard]] http::Response response_to(const std::exception_ptr& error, const std::string& request_id) noexcept;

}  // namespace plume::serve
