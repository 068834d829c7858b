// Each request is noted in the journal before it is sent.
#include "cloud/sagemaker/deploy.hpp"

#include <algorithm>

#include "cloud/sagemaker/remove.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

// What this run has made so far.
class Run {
 public:
  Run(SageMaker& sagemaker, Journal& journal, const DeployOptions& options)
      : sagemaker_(sagemaker), journal_(journal), options_(options) {}

  [[nodiscard]] const std::vector<Resource>& made() const noexcept { return made_; }

  void tell(const std::string& line) const {
    if (options_.tell) options_.tell(line);
  }

  void make(const Step& step) {
    const Resource& resource = step.resource;
    journal_.about_to_make(resource);
    unsure_ = resource;
    try {
      static_cast<void>(sagemaker_.call(step.operation, step.input));
      unsure_.reset();
    } catch (const Error& error) {
      // The answer to an earlier attempt may have been lost, or somebody else was faster.
      if (error.failure() != Failure::conflict) throw;
      const bool ours = is_ours(resource);
      unsure_.reset();
      if (!ours) {
        if (resource.kind == ResourceKind::endpoint) throw;
        return;
      }
    }
    journal_.made(resource);
    made_.push_back(resource);
    tell(fmt::format("{} {} made", name_of(resource.kind), resource.name));
  }

  // Those that are there already are left alone, now and later.
  void make_unless_there(const Step& step) {
    if (sagemaker_.exists(step.resource)) {
      tell(fmt::format("{} {} is there", name_of(step.resource.kind), step.resource.name));
    } else {
      make(step);
    }
  }

  void update(const Step& step) {
    asked_for_update_ = true;
    static_cast<void>(sagemaker_.call(step.operation, step.input));
  }
  [[nodiscard]] bool has_asked_for_update() const noexcept { return asked_for_update_; }

  // What was asked for without an answer may have come about.
  void look_for_unsure() {
    if (unsure_ && is_ours(*unsure_)) made_.push_back(*unsure_);
    unsure_.reset();
  }

  // The last first. What cannot be removed is said, and does not hide why all this happens.
  void take_back() {
    for (auto resource = made_.rbegin(); resource != made_.rend(); ++resource) {
      try {
        WaitOptions waiting = options_.waiting;
        waiting.even_when_cancelled = true;
        remove_and_wait(sagemaker_, *resource, waiting);
        journal_.removed(*resource);
        tell(fmt::format("{} {} removed again", name_of(resource->kind), resource->name));
      } catch (const std::exception& error) {
        tell(fmt::format("{} {} remains: {}", name_of(resource->kind), resource->name, error.what()));
      }
    }
  }

  // The update has come about whatever happens here.
  std::vector<Resource> remove_replaced(const std::vector<Resource>& old) {
    std::vector<Resource> removed;
    for (const Resource& resource : old) {
      try {
        sagemaker_.remove(resource);
        journal_.removed(resource);
        removed.push_back(resource);
      } catch (const std::exception& error) {
        tell(fmt::format("{} {} remains: {}", name_of(resource.kind), resource.name, error.what()));
      }
    }
    return removed;
  }

 private:
  [[nodiscard]] bool is_ours(const Resource& resource) {
    try {
      const auto arn = arn_of(sagemaker_, resource);
      if (!arn) return false;
      const auto tags = sagemaker_.tags(*arn, true);
      const auto found = tags.find(run_tag);
      return found != tags.end() && found->second == journal_.run();
    } catch (const std::exception&) {  // whoever it is, it must not be removed by mistake
      tell(fmt::format("{} {} may have been made: look for it", name_of(resource.kind), resource.name));
      return false;
    }
  }

  SageMaker& sagemaker_;
  Journal& journal_;
  const DeployOptions& options_;
  std::vector<Resource> made_;
  bool asked_for_update_ = false;
  std::optional<Resource> unsure_;  // asked for, without an answer
};

// Configuration and models that an update leaves behind, of those that plume has named.
std::vector<Resource> behind(SageMaker& sagemaker, const Plan& plan, const std::string& old_config) {
  std::vector<Resource> old;
  const auto add = [&](ResourceKind kind, const std::string& name, const Resource& current) {
    if (name != current.name && is_planned_name(name, plan.endpoint.name)) old.push_back({kind, name});
  };
  add(ResourceKind::endpoint_config, old_config, plan.config);
  if (const auto config = sagemaker.find_config(old_config))
    for (const std::string& model : models_of(*config)) add(ResourceKind::model, model, plan.model);
  return old;
}

// Whether an endpoint of another run has, or is on its way to, what this run has made; also where nobody can say.
bool is_in_use(SageMaker& sagemaker, const Run& run, const Plan& plan) {
  if (run.made().empty() || run.made().back() == plan.endpoint) return false;
  try {
    const auto state = sagemaker.find_endpoint(plan.endpoint.name, true);
    return state && ((run.has_asked_for_update() && state->in_motion()) || state->config == plan.config.name);
  } catch (const std::exception&) {
    return true;
  }
}

DeployResult create(SageMaker& sagemaker, Run& run, const Plan& plan, const DeployOptions& options) {
  run.make_unless_there(plan.steps[0]);
  run.make_unless_there(plan.steps[1]);
  run.make(plan.steps[2]);
  DeployResult result{DeployOutcome::created, {}, {}, {}};
  if (options.wait) {
    result.endpoint = wait_in_service(sagemaker, plan.endpoint.name, options.waiting);
  } else {
    result.endpoint = sagemaker.find_endpoint(plan.endpoint.name).value_or(EndpointState{});
  }
  return result;
}

DeployResult update(SageMaker& sagemaker, Run& run, const Plan& plan, const EndpointState& before,
                    const DeployOptions& options) {
  const std::vector<Resource> old = behind(sagemaker, plan, before.config);
  run.make_unless_there(plan.steps[0]);
  run.make_unless_there(plan.steps[1]);
  run.update(plan.update);
  run.tell(fmt::format("endpoint {} goes from {} to {}", plan.endpoint.name, before.config, plan.config.name));
  DeployResult result{DeployOutcome::updated, before, {}, {}};
  if (!options.wait) return result;
  result.endpoint = wait_in_service(sagemaker, plan.endpoint.name, options.waiting);
  if (result.endpoint.config != plan.config.name)
    throw cloud_error(
        Failure::failed, "endpoint {} went back to {}: {}", plan.endpoint.name, result.endpoint.config,
        result.endpoint.failure_reason.empty() ? "SageMaker gives no reason" : result.endpoint.failure_reason);
  result.replaced = run.remove_replaced(old);
  return result;
}

DeployResult carry_out(SageMaker& sagemaker, Run& run, const Plan& plan, const DeployOptions& options) {
  const auto there = sagemaker.find_endpoint(plan.endpoint.name);
  if (!there) return create(sagemaker, run, plan, options);
  if (there->config == plan.config.name && (there->in_service() || there->status == "Creating")) {
    DeployResult result{DeployOutcome::unchanged, *there, {}, {}};
    if (options.wait) result.endpoint = wait_in_service(sagemaker, plan.endpoint.name, options.waiting);
    return result;
  }
  if (!there->in_service())
    throw cloud_error(Failure::conflict, "endpoint {} is {}{}{}: tear it down, or wait", plan.endpoint.name,
                      there->status, there->failure_reason.empty() ? "" : ": ", there->failure_reason);
  if (!options.update)
    throw cloud_error(Failure::conflict,
                      "endpoint {} has other settings ({}): --update brings it to these without a gap",
                      plan.endpoint.name, there->config);
  return update(sagemaker, run, plan, *there, options);
}

}  // namespace

DeployResult deploy(SageMaker& sagemaker, const Plan& plan, Journal& journal, const DeployOptions& options) {
  Run run(sagemaker, journal, options);
  try {
    DeployResult result = carry_out(sagemaker, run, plan, options);
    if (options.finish) options.finish();
    result.made = run.made();
    return result;
  } catch (const std::exception& error) {
    const auto* const known = dynamic_cast<const Error*>(&error);
    if (known != nullptr && known->failure() == Failure::failed && options.look_at_failure)
      options.look_at_failure(plan.endpoint.name);
    if (!options.keep_failed) {
      run.look_for_unsure();
      if (is_in_use(sagemaker, run, plan)) {
        run.tell(fmt::format("{} stays, for endpoint {} has it or is on its way to it", plan.config.name,
                             plan.endpoint.name));
      } else {
        run.take_back();
      }
    }
    throw;
  }
}

}  // namespace plume::cloud
