// Carries a plan out, or takes back what it has done of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cloud/sagemaker/journal.hpp"
#include "cloud/sagemaker/plan.hpp"
#include "cloud/sagemaker/wait.hpp"

namespace plume::cloud {

// The tag by which a run knows what it has made.
inline constexpr const char* run_tag = "plume-run";

struct DeployOptions {
  bool update = false;       // an endpoint of other settings is brought to these; else it is a conflict
  bool wait = true;          // until it is in service
  bool keep_failed = false;  // nothing is taken back
  WaitOptions waiting{};
  std::function<void(const std::string&)> tell{};  // a line for people
  // What else belongs to it, once all is made; where that throws it is a failure like any other.
  std::function<void()> finish{};
  // Once an endpoint has failed, before it is taken back.
  std::function<void(const std::string& endpoint)> look_at_failure{};
};

enum class DeployOutcome { created, updated, unchanged };

struct DeployResult {
  DeployOutcome outcome;
  EndpointState endpoint;
  std::vector<Resource> made;      // by this run
  std::vector<Resource> replaced;  // configuration and models of before an update, which are removed
};

// Models and configurations that are there are taken as they are, for their names are hashes of their contents; an
// endpoint that has the plan's configuration stays as it is. An update keeps answering with the old configuration until
// the new one is in service. On failure, and when a user has cancelled, everything that this run has made is removed
// again, the last first; but what an update is on its way to stays.
// Throws cloud::Error; conflict where the endpoint has another configuration, or is in motion.
DeployResult deploy(SageMaker& sagemaker, const Plan& plan, Journal& journal, const DeployOptions& options);

struct TeardownOptions {
  bool config = false;  // also the configuration
  bool models = false;  // also what it runs
  WaitOptions waiting{};
  std::function<void(const std::string&)> tell{};
};

struct TeardownResult {
  std::vector<Resource> removed;
  std::vector<Resource> remains;        // still there, after all
  std::vector<std::string> model_data;  // s3:// of the models that were removed
};

struct ModelData {
  std::string model;
  std::string data;  // s3://
};

// What all models of the account have on S3: asks for each of them. Throws cloud::Error naming the one that may not be
// looked at.
[[nodiscard]] std::vector<ModelData> data_of_models(SageMaker& sagemaker);

// One of these that has this data, or some of it, or it among others in a folder; null: none.
[[nodiscard]] const ModelData* user_of(const std::string& data, const std::vector<ModelData>& models);

// What would go: the endpoint, and by the options its configuration and models, and what the journal says was left.
[[nodiscard]] std::vector<Resource> find_resources(SageMaker& sagemaker, const std::string& endpoint,
                                                   const Journal& journal, const TeardownOptions& options);

// Removes them, and looks whether each has gone. Goes on where one cannot be removed.
TeardownResult teardown(SageMaker& sagemaker, const std::vector<Resource>& resources, Journal& journal,
                        const TeardownOptions& options);

}  // namespace plume::cloud
