// SageMaker's client and the plans that are carried out by it, without a server.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "../scratch_folder.hpp"
#include "cloud/sagemaker/autoscaling.hpp"
#include "cloud/sagemaker/deploy.hpp"
#include "cloud/sagemaker/prices.hpp"
#include "cloud/sagemaker/runtime.hpp"
#include "expect_cloud_error.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

HttpResponse reply(const Json& document) {
  return {200, {}, document.dump()};
}

HttpResponse refusal(int status, const std::string& code, const std::string& message) {
  return {status, {{"x-amzn-ErrorType", code}}, Json{{"Message", message}}.dump()};
}

Deployment example() {
  return {.endpoint = "smoke",
          .model = "s3://bucket/models/model.tar.gz",
          .image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/plume-infer:cpu",
          .role = "arn:aws:iam::123456789012:role/sagemaker"};
}

class SageMakerTest : public testing::Test {
 protected:
  ScriptedTransport transport;
  TestClock clock;
  ServiceClient client{transport, nullptr, moving_clock()};
  SageMaker sagemaker{client, {*parse_url("https://api.sagemaker.us-east-1.amazonaws.com"), "sagemaker", "us-east-1"}};

 private:
  // Which sleeping moves.
  Clock moving_clock() {
    Clock moving = clock.clock();
    moving.sleep = [this](std::chrono::milliseconds time, const std::atomic<bool>*) {
      clock.time += std::chrono::floor<std::chrono::seconds>(time);
    };
    return moving;
  }
};

TEST(Plan, NamesComeFromContents) {
  const Plan plan = plan_deployment(example());
  EXPECT_TRUE(is_planned_name(plan.model.name, "smoke"));
  EXPECT_TRUE(is_planned_name(plan.config.name, "smoke"));
  EXPECT_FALSE(is_planned_name("smoke-1234567", "smoke"));
  EXPECT_FALSE(is_planned_name("smoke-1234567x", "smoke"));
  EXPECT_FALSE(is_planned_name(plan.model.name, "smok"));

  Deployment tagged = example();
  tagged.tags = {{"a", "b"}};
  EXPECT_EQ(plan_deployment(tagged).config.name, plan.config.name);
  EXPECT_EQ(plan_deployment(tagged).steps[2].input["Tags"], Json::parse(R"([{"Key": "a", "Value": "b"}])"));
  // Another number of machines is another configuration of the same model, another image is another of both.
  Deployment more = example();
  more.count = 2;
  EXPECT_EQ(plan_deployment(more).model.name, plan.model.name);
  EXPECT_NE(plan_deployment(more).config.name, plan.config.name);
  Deployment other = example();
  other.image += "-2";
  EXPECT_NE(plan_deployment(other).model.name, plan.model.name);
  EXPECT_NE(plan_deployment(other).config.name, plan.config.name);
}

TEST(Plan, RefusesWhatSageMakerWould) {
  const auto refuses = [](auto change, const char* word) {
    Deployment deployment = example();
    change(deployment);
    expect_cloud_error(Failure::usage, word, [&] { static_cast<void>(plan_deployment(deployment)); });
  };
  refuses([](Deployment& one) { one.endpoint = std::string(55, 'a'); }, "54 characters");
  refuses([](Deployment& one) { one.endpoint = "a_b"; }, "a_b");
  refuses([](Deployment& one) { one.endpoint = "a-"; }, "a-");
  refuses([](Deployment& one) { one.model = "/tmp/model.tar.gz"; }, "/tmp/model.tar.gz");
  refuses([](Deployment& one) { one.model = "s3://bucket/"; }, "s3://bucket/");
  refuses([](Deployment& one) { one.model = "s3:///models/"; }, "s3:///models/");
  refuses([](Deployment& one) { one.image = ""; }, "image");
  refuses([](Deployment& one) { one.role = "arn:aws:s3:::bucket"; }, "arn:aws:s3:::bucket");
  refuses([](Deployment& one) { one.serverless = {7168, 1}; }, "7168");
  refuses([](Deployment& one) { one.serverless = {1024, 201}; }, "201");
}

TEST_F(SageMakerTest, TellsRefusalsApart) {
  const auto refused_as = [&](const std::string& message, Failure failure) {
    transport.answer(refusal(400, "ValidationException", message));
    expect_cloud_error(failure, message, [&] { sagemaker.call("CreateModel", Json::object()); });
  };
  refused_as("Could not find endpoint \"arn\".", Failure::not_found);
  refused_as("Cannot create already existing model \"arn\".", Failure::conflict);
  refused_as("Cannot update in-progress endpoint \"arn\".", Failure::conflict);
  refused_as("1 validation error detected", Failure::usage);
  transport.answer(refusal(400, "ResourceLimitExceeded", "The account-level service limit ..."));
  expect_cloud_error(Failure::failed, "service limit", [&] { sagemaker.call("CreateEndpoint", Json::object()); });
}

TEST_F(SageMakerTest, FindsNothing) {
  transport.answer_all([](const Sent&) { return refusal(400, "ValidationException", "Could not find it"); });
  EXPECT_FALSE(sagemaker.find_endpoint("smoke"));
  EXPECT_FALSE(sagemaker.find_config("smoke"));
  EXPECT_NO_THROW(sagemaker.remove({ResourceKind::model, "smoke"}));
  EXPECT_EQ(transport.sent().at(2).header("X-Amz-Target"), "SageMaker.DeleteModel");
}

TEST_F(SageMakerTest, WaitsAsLongAsItIsTold) {
  transport.answer_all([](const Sent&) { return reply({{"EndpointName", "smoke"}, {"EndpointStatus", "Creating"}}); });
  std::vector<long> seen;
  const WaitOptions options{
      .poll = std::chrono::seconds(30),
      .timeout = std::chrono::minutes(2),
      .progress = [&](const EndpointState&, std::chrono::seconds waited) { seen.push_back(waited.count()); }};
  expect_cloud_error(Failure::timeout, "still Creating after 120 s",
                     [&] { wait_in_service(sagemaker, "smoke", options); });
  EXPECT_EQ(seen, (std::vector<long>{0, 30, 60, 90, 120}));
}

TEST_F(SageMakerTest, WaitsThroughABadMinute) {
  for (int i = 0; i < 4 * 3; ++i) transport.answer(refusal(400, "ThrottlingException", "Rate exceeded"));
  transport.answer(reply({{"EndpointStatus", "InService"}}));
  EXPECT_TRUE(wait_in_service(sagemaker, "smoke", {}).in_service());
  transport.answer_all([](const Sent&) { return refusal(503, "ServiceUnavailable", "busy"); });
  expect_cloud_error(Failure::unavailable, "busy", [&] { wait_in_service(sagemaker, "smoke", {}); });
}

// A connection's is not that of the endpoint, which would be torn down for it.
TEST_F(SageMakerTest, WaitsThroughTimeoutsOfConnections) {
  const auto late = [](const Sent&) -> HttpResponse { throw TransportError(TransportError::Kind::timeout, "late"); };
  for (int i = 0; i < 4 * 3; ++i) transport.answer(late);
  transport.answer(reply({{"EndpointStatus", "InService"}}));
  EXPECT_TRUE(wait_in_service(sagemaker, "smoke", {}).in_service());
}

TEST_F(SageMakerTest, SleepsNoLongerThanThereIsTime) {
  transport.answer_all([](const Sent&) { return reply({{"EndpointName", "smoke"}, {"EndpointStatus", "Creating"}}); });
  const WaitOptions options{.poll = std::chrono::seconds(30), .timeout = std::chrono::seconds(5)};
  expect_cloud_error(Failure::timeout, "still Creating after 5 s",
                     [&] { wait_in_service(sagemaker, "smoke", options); });
}

TEST_F(SageMakerTest, SaysWhyAnEndpointFailed) {
  transport.answer(reply({{"EndpointStatus", "Failed"}, {"FailureReason", "no ping"}}));
  expect_cloud_error(Failure::failed, "endpoint smoke is Failed: no ping",
                     [&] { wait_in_service(sagemaker, "smoke", {}); });
}

TEST(Prices, AddUp) {
  const VariantState two{.name = "a", .instance = "ml.g5.xlarge", .current_count = 1, .desired_count = 2};
  EXPECT_DOUBLE_EQ(*hourly_cost({two}), 2 * 1.408);
  const VariantState idle{.name = "b", .instance = {}, .serverless_memory = 2048};
  EXPECT_DOUBLE_EQ(*hourly_cost({two, idle}), 2 * 1.408);
  const VariantState unknown{.name = "c", .instance = "ml.x9.large", .current_count = 1};
  EXPECT_FALSE(hourly_cost({two, unknown}));
  EXPECT_NE(cost_text({unknown}).find("does not know"), std::string::npos);
}

TEST(JournalTest, KnowsWhatIsLeft) {
  const ScratchFolder folder;
  TestClock clock;
  Journal journal(folder / "deep/er/journal.jsonl", "run", clock.clock());
  EXPECT_TRUE(journal.left().empty());
  const Resource model{ResourceKind::model, "m"};
  const Resource endpoint{ResourceKind::endpoint, "e"};
  journal.about_to_make(model);
  journal.made(model);
  journal.about_to_make(endpoint);
  EXPECT_EQ(Journal(journal.path(), "another", clock.clock()).left(), (std::vector<Resource>{model, endpoint}));
  journal.removed(model);
  EXPECT_EQ(journal.left(), std::vector<Resource>{endpoint});
}

// As a full disk or a machine without power leaves it.
TEST(JournalTest, LosesNothingBehindATornLine) {
  const ScratchFolder folder;
  TestClock clock;
  Journal journal(folder / "journal.jsonl", "run", clock.clock());
  std::ofstream(journal.path()) << R"({"time": "2026-01-01T00:00:00Z", "ru)";
  const Resource model{ResourceKind::model, "m"};
  journal.about_to_make(model);
  EXPECT_EQ(journal.left(), std::vector<Resource>{model});
}

class RollbackTest : public SageMakerTest {
 protected:
  // Operations of an account that is empty, where one fails.
  void fail_at(const std::string& operation) {
    transport.answer_all([this, operation](const Sent& sent) {
      const std::string asked = sent.header("X-Amz-Target").substr(std::string("SageMaker.").size());
      operations.push_back(asked);
      if (asked == operation) throw std::runtime_error("nobody has thought of that");
      if (asked.starts_with("Create")) made.insert(asked.substr(6));
      if (asked.starts_with("Delete")) made.erase(asked.substr(6));
      const bool there = !asked.starts_with("Describe") || made.contains(asked.substr(8));
      return there ? reply({{"EndpointStatus", "InService"}})
                   : refusal(400, "ValidationException", "Could not find it");
    });
  }
  std::vector<std::string> operations;
  std::set<std::string> made;
  ScratchFolder folder;
  Journal journal{folder / "journal.jsonl", "run", clock.clock()};
};

TEST_F(RollbackTest, FollowsWhateverWentWrong) {
  fail_at("CreateEndpoint");
  EXPECT_THROW(deploy(sagemaker, plan_deployment(example()), journal, {}), std::runtime_error);
  EXPECT_TRUE(made.empty());
  EXPECT_EQ(journal.left(), (std::vector<Resource>{{ResourceKind::endpoint, "smoke"}}));  // nobody could say
}

TEST_F(RollbackTest, FollowsWhatComesLast) {
  fail_at("");
  const DeployOptions options{.finish = [] { throw cloud_error(Failure::credentials, "not allowed"); }};
  expect_cloud_error(Failure::credentials, "not allowed",
                     [&] { deploy(sagemaker, plan_deployment(example()), journal, options); });
  EXPECT_TRUE(made.empty());
}

TEST_F(SageMakerTest, RuntimeHandsHeadersThrough) {
  SageMakerRuntime runtime(client, {*parse_url("https://runtime"), "sagemaker", "us-east-1"});
  transport.answer({200, {{"Content-Type", "image/png"}, {"x-Amzn-Invoked-Production-Variant", "plume"}}, "mask"});
  const InvocationReply answer = runtime.invoke({.endpoint = "smoke",
                                                 .body = std::string("\0\xff", 2),
                                                 .content_type = "image/tiff",
                                                 .accept = "image/png",
                                                 .custom_attributes = "tile=7"});
  EXPECT_EQ(answer.body, "mask");
  EXPECT_EQ(answer.content_type, "image/png");
  EXPECT_EQ(answer.variant, "plume");
  const Sent& sent = transport.sent().at(0);
  EXPECT_EQ(sent.url.path, "/endpoints/smoke/invocations");
  EXPECT_EQ(sent.body, std::string("\0\xff", 2));
  EXPECT_EQ(sent.header("Content-Type"), "image/tiff");
  EXPECT_EQ(sent.header("Accept"), "image/png");
  EXPECT_EQ(sent.header("X-Amzn-SageMaker-Custom-Attributes"), "tile=7");
}

TEST_F(SageMakerTest, RuntimeSaysWhatIsWrong) {
  SageMakerRuntime runtime(client, {*parse_url("https://runtime"), "sagemaker", "us-east-1"});
  const auto ask = [&] { return runtime.invoke({.endpoint = "smoke", .body = "x", .content_type = "text/plain"}); };
  transport.answer(refusal(400, "ValidationError", "Endpoint smoke of account 1 not found."));
  expect_cloud_error(Failure::not_found, "InvokeEndpoint smoke", ask);
  transport.answer(refusal(400, "ValidationError", "a header is wrong"));
  expect_cloud_error(Failure::usage, "a header is wrong", ask);
  transport.answer(refusal(424, "ModelError", "the model's words"));
  expect_cloud_error(Failure::failed, "the model's words", ask);
  // Who wants to make something else of it gets the reply.
  transport.answer(refusal(424, "ModelError", "the model's words"));
  EXPECT_EQ(runtime.answer({.endpoint = "smoke", .body = "x", .content_type = "text/plain"}).status, 424);
}

TEST_F(SageMakerTest, ScalesByInvocations) {
  AutoScaling scaling(client, {*parse_url("https://scaling"), "application-autoscaling", "us-east-1"});
  transport.answer(reply(Json::object()));
  transport.answer(reply(Json::object()));
  scaling.set({.endpoint = "smoke", .variant = "plume", .least = 1, .most = 4, .invocations = 300});
  EXPECT_EQ(transport.sent().at(0).header("X-Amz-Target"), "AnyScaleFrontendService.RegisterScalableTarget");
  const Json policy = Json::parse(transport.sent().at(1).body);
  EXPECT_EQ(policy["ResourceId"], "endpoint/smoke/variant/plume");
  EXPECT_EQ(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"], 300);
  transport.answer(refusal(400, "ObjectNotFoundException", "none"));
  EXPECT_NO_THROW(scaling.remove("smoke", "plume"));
}

}  // namespace
}  // namespace plume::tests
