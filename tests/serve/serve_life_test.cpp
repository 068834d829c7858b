// A server's life: how it starts, and what it does when it is full, told to end, killed, or asked for other models.
#include "serve_life.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

namespace plume::tests {
namespace {

TEST_F(ServeLife, AWrongModelEndsItAtOnceWithOneLine) {
  const auto serve = [&](const std::string& path) {
    return run_command(plume_infer({"serve", "--port", "0", "--model", path}));
  };
  expect_one_line(serve(folder_ / "none.safetensors"), 3, "none.safetensors");
  const std::string whole = read_file(model_);
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, whole.size() / 2, whole.size() - 1}) {
    write_file(folder_ / "cut.safetensors", whole.substr(0, length));
    expect_one_line(serve(folder_ / "cut.safetensors"), 3, "cut.safetensors");
  }
  std::string changed = whole;
  changed[whole.size() - 100] ^= 1;
  write_file(folder_ / "changed.safetensors", changed);
  expect_one_line(serve(folder_ / "changed.safetensors"), 3, "changed.safetensors");
  write_file(folder_ / "text.safetensors", "This is no model, though it is long enough to be one.");
  expect_one_line(serve(folder_ / "text.safetensors"), 3, "text.safetensors");
  expect_one_line(serve(folder_ / ""), 3, "holds 4 .safetensors");
  std::filesystem::create_directory(folder_ / "empty");
  expect_one_line(serve(folder_ / "empty"), 3, "holds no .safetensors");
  std::filesystem::create_directory(folder_ / "packed");
  std::filesystem::copy(model_, folder_ / "packed" / "model.safetensors");
  write_file(folder_ / "packed" / "model.json", R"({"threshold": 2})");
  expect_one_line(serve(folder_ / "packed"), 3, "threshold");
}

TEST_F(ServeLife, OptionsThatCannotBeAreRefused) {
  expect_one_line(run_command(plume_infer({"serve", "--port", "0"})), 2, "name the model");
  expect_one_line(run_command(plume_infer({"serve", "--model", model_, "--host", "nowhere"})), 2, "nowhere");
  expect_one_line(run_command(plume_infer({"serve", "--model", model_, "--port", "0", "--tile", "4"})), 2, "too small");
  expect_one_line(run_command(plume_infer({"serve", "--model", model_, "--port", "70000"})), 2, "--port");
  const RunningServer server({"--model", model_});
  expect_one_line(run_command(plume_infer({"serve", "--model", model_, "--port", std::to_string(server.port())})), 4,
                  "cannot listen");
}

TEST_F(ServeLife, AFolderWithOneModelWillDo) {
  std::filesystem::create_directory(folder_ / "only");
  std::filesystem::copy(model_, folder_ / "only" / "any.safetensors");
  write_file(folder_ / "only" / "README", "about the model");
  const RunningServer server({"--model", folder_ / "only"});
  EXPECT_EQ(ask_little(server.port())->status, 200);
}

TEST_F(ServeLife, TheThresholdIsTheRequestsTheOptionsOrTheModels) {
  std::filesystem::create_directory(folder_ / "packed");
  std::filesystem::copy(model_, folder_ / "packed" / "model.safetensors");
  write_file(folder_ / "packed" / "model.json", R"({"threshold": 1})");
  const auto polygons = [](int port, const std::string& accept) {
    const auto answer =
        ask(port, "POST", "/invocations", raw_headers(1, 4, 4) + "Accept: application/geo+json" + accept + "\r\n",
            raw_body(std::vector<float>(48, 1.0F)));
    return nlohmann::json::parse(answer->body).at("features").size();
  };
  const RunningServer models({folder_ / "packed"});
  EXPECT_EQ(polygons(models.port(), ""), 0);
  EXPECT_EQ(polygons(models.port(), "; threshold=0"), 1);
  const RunningServer options({folder_ / "packed", "--threshold", "0"});
  EXPECT_EQ(polygons(options.port(), ""), 1);
  EXPECT_EQ(polygons(options.port(), "; threshold=1"), 0);
}

TEST_F(ServeLife, CalledAsSageMakerCallsItTakesItsDefaultsAndVariables) {
  // No model is where SageMaker puts it, so it says where it looked.
  if (std::filesystem::exists("/opt/ml/model")) GTEST_SKIP() << "there is a model in /opt/ml/model";
  const Surroundings free_port{.environment = {"SAGEMAKER_BIND_TO_PORT=0"}, .largest_file = {}};
  expect_one_line(run_command(plume_infer({"serve"}), free_port), 3, "/opt/ml/model");
  const std::filesystem::path link = folder_ / "serve";
  std::filesystem::create_symlink(PLUME_INFER_PROGRAM, link);
  expect_one_line(run_command({link}, free_port), 3, "/opt/ml/model");
}

TEST_F(ServeLife, SageMakersVariablesAreHonoured) {
  const RunningServer server(
      {"--model", model_},
      {.environment = {"SAGEMAKER_MAX_PAYLOAD_IN_MB=1", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=application/x-npy",
                       "SAGEMAKER_MODEL_SERVER_WORKERS=3", "SAGEMAKER_MODEL_SERVER_TIMEOUT=7"},
       .largest_file = {}});
  const auto parameters = nlohmann::json::parse(ask(server.port(), "GET", "/execution-parameters")->body);
  EXPECT_EQ(parameters.at("MaxConcurrentTransforms"), 3);
  EXPECT_EQ(parameters.at("MaxPayloadInMB"), 1);
  EXPECT_EQ(ask_much(server.port())->status, 413);
  EXPECT_EQ(ask_little(server.port())->header("content-type"), "application/x-npy");
}

TEST_F(ServeLife, OtherOptionsAreTakenFromVariablesToo) {
  const RunningServer server({"--model", model_}, {.environment = {"PLUME_ACCESS_LOG=1"}, .largest_file = {}});
  EXPECT_EQ(ask(server.port(), "GET", "/ping")->status, 200);
  const auto begin = Clock::now();
  const auto logged = [&] { return server.errors().find("/ping") != std::string::npos; };
  while (!logged() && seconds_since(begin) < 5) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(logged()) << server.errors();
  expect_one_line(
      run_command(plume_infer({"serve", model_}), {.environment = {"PLUME_MAX_BATCH=0"}, .largest_file = {}}), 2,
      "--max-batch: Value 0");
  expect_one_line(run_command(plume_infer({"serve", model_, "--max-payload", "600"})), 2, "--max-in-flight");
}

TEST_F(ServeLife, PingAnswersWhileEveryWorkerIsBusy) {
  const RunningServer server({"--model", model_, "--max-payload", "64", "--max-batch", "1"});
  std::atomic<bool> done{false};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      while (!done) EXPECT_EQ(ask_much(server.port())->status, 200);
    });
  }
  while (server.metric("plume_queue_requests") < 2) std::this_thread::sleep_for(1ms);
  std::vector<double> times;
  for (int i = 0; i < 100; ++i) {
    const auto begin = Clock::now();
    EXPECT_EQ(ask(server.port(), "GET", "/ping")->status, 200);
    times.push_back(seconds_since(begin));
    std::this_thread::sleep_for(5ms);
  }
  done = true;
  for (std::thread& client : clients) client.join();
  std::sort(times.begin(), times.end());
  // One in fifty may have met a machine that was busy with something else altogether.
  EXPECT_LT(times[times.size() - 3], 0.05);
}

TEST_F(ServeLife, AFullQueueIsToldAndWhoWaitsTooLongToo) {
  const RunningServer server({"--model", model_, "--max-payload", "64", "--workers", "1", "--max-queue", "2",
                              "--timeout", "0.05", "--max-batch", "1"});
  std::map<int, int> statuses;
  std::mutex mutex;
  std::vector<std::thread> clients;
  for (int i = 0; i < 12; ++i) {
    clients.emplace_back([&] {
      for (int k = 0; k < 5; ++k) {
        const auto answer = ask_much(server.port());
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->header("retry-after").empty(), answer->status == 200);
        const std::scoped_lock lock(mutex);
        ++statuses[answer->status];
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(statuses[200] + statuses[503], 60);
  EXPECT_GT(statuses[200], 0);
  EXPECT_GT(server.metric("plume_queue_refused_total"), 0);
  EXPECT_GT(server.metric("plume_queue_expired_total"), 0);
  EXPECT_EQ(server.metric("plume_batch_images_sum"), statuses[200]);  // what was refused was not computed
}

TEST_F(ServeLife, LargeImagesAreCutIntoTiles) {
  const unet::Network network = save_small_model(folder_ / "model.safetensors");
  const RunningServer server({"--model", model_, "--tile", "96"});
  const auto pixels = drawn_pixels(200 * 150 * 3);
  const auto answer = ask(server.port(), "POST", "/invocations",
                          raw_headers(1, 200, 150) + "Accept: application/x-npy\r\n", raw_body(pixels));
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 200) << answer->body;
  const auto expected = predicted(network, pixels, 1, 200, 150);
  const auto found =
      floats_of(std::string_view(answer->body).substr(answer->body.size() - expected.size() * sizeof(float)));
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-5) << i;
}

TEST_F(ServeLife, SmallRequestsOfOneSizeAreComputedTogether) {
  const RunningServer server({"--model", model_, "--max-batch", "4", "--max-wait-ms", "2000", "--workers", "1"});
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] { EXPECT_EQ(ask_little(server.port())->status, 200); });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(server.metric("plume_batch_images_sum"), 8);
  EXPECT_EQ(server.metric("plume_batch_images_count"), 2);
}

TEST_F(ServeLife, ToldToEndUnderLoadItAnswersWhatItAccepted) {
  for (const int signal : {SIGTERM, SIGINT}) {
    RunningServer server({"--model", model_, "--max-payload", "64"});
    std::atomic<int> answered{0};
    std::atomic<int> lost{0};
    std::atomic<bool> ending{false};
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&, i] {
        while (true) {
          try {
            Client client(server.port());
            while (true) {  // until told that the connection ends
              const int size = 50 + 30 * i;
              const auto pixels = std::vector<float>(static_cast<std::size_t>(size * size * 3), 100.0F);
              const auto answer = client.ask("POST", "/invocations", raw_headers(1, size, size), raw_body(pixels));
              EXPECT_TRUE(answer) << "after " << answered << ", ending: " << ending;
              if (!answer || answer->status != 200) {
                ++lost;
                return;
              }
              ++answered;
              if (answer->header("connection") == "close") break;
            }
          } catch (const std::runtime_error&) {
            if (ending) return;  // no one listens any more
            throw;
          }
        }
      });
    }
    while (answered < 50) std::this_thread::sleep_for(1ms);
    const auto begin = Clock::now();
    ending = true;
    server.signal(signal);
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(server.wait_for(30), 0) << server.errors();
    EXPECT_LT(seconds_since(begin), 30);
    EXPECT_EQ(lost, 0) << "of " << answered;
  }
}

TEST_F(ServeLife, KilledAndStartedAgainItIsWellWithinASecond) {
  auto server = std::make_unique<RunningServer>(std::vector<std::string>{"--model", model_});
  const std::string port = std::to_string(server->port());
  Client open(server->port());  // its end stays in the system's tables for a while
  EXPECT_EQ(open.ask("GET", "/ping")->status, 200);
  server->signal(SIGKILL);
  EXPECT_EQ(server->wait_for(10), 128 + SIGKILL);
  const auto begin = Clock::now();
  const RunningServer again({"--model", model_, "--port", port});
  EXPECT_EQ(ask(again.port(), "GET", "/ping")->status, 200);
  EXPECT_LT(seconds_since(begin), 1);
}

TEST_F(ServeLife, HostileClientsLeaveItAsItWas) {
  const RunningServer server({"--model", model_});
  EXPECT_EQ(ask_little(server.port())->status, 200);
  const double files = server.metric("process_open_fds");
  for (int i = 0; i < 50; ++i) {
    Client gone(server.port());
    gone.send(
        request_text("POST", "/invocations", raw_headers(1, 200, 200), raw_body(std::vector<float>(120'000, 1.0F))));
    if (i % 2 == 0) gone.reset();
    Client half(server.port());
    half.send("POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc");
  }
  const auto end = Clock::now() + 20s;
  while (Clock::now() < end &&
         (server.metric("process_open_fds") > files || server.metric("plume_in_flight_bytes") > 0)) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_LE(server.metric("process_open_fds"), files);
  EXPECT_EQ(server.metric("plume_in_flight_bytes"), 0);
  EXPECT_EQ(ask_little(server.port())->status, 200);
}

TEST_F(ServeLife, SeveralModelsComeAndGo) {
  std::filesystem::create_directories(folder_ / "models" / "one");
  std::filesystem::copy(model_, folder_ / "models" / "one" / "m.safetensors");
  write_file(folder_ / "models" / "bad.safetensors", "no model");
  std::filesystem::create_symlink(model_, folder_ / "models" / "link.safetensors");
  RunningServer server({"--multi-model", "--models-folder", folder_ / "models"});
  const auto load = [&](const std::string& name, const std::string& url) {
    return ask(server.port(), "POST", "/models", json_type, nlohmann::json{{"model_name", name}, {"url", url}}.dump())
        ->status;
  };
  const auto names = [&] {
    std::vector<std::string> found;
    const auto list = nlohmann::json::parse(ask(server.port(), "GET", "/models")->body);
    for (const auto& model : list.at("models")) found.push_back(model.at("modelName"));
    return found;
  };
  const std::string tile = raw_body(std::vector<float>(48, 1.0F));
  const auto invoke = [&](const std::string& name) {
    return ask(server.port(), "POST", "/models/" + name + "/invoke", raw_headers(1, 4, 4), tile)->status;
  };
  EXPECT_EQ(ask(server.port(), "GET", "/ping")->status, 200);
  EXPECT_EQ(names(), std::vector<std::string>{});
  EXPECT_EQ(invoke("a"), 404);
  EXPECT_EQ(load("a", (folder_ / "models" / "one").string()), 200);
  EXPECT_EQ(load("b", "one/m.safetensors"), 200);
  EXPECT_EQ(load("a", "one"), 409);
  EXPECT_EQ(load("c", "none"), 404);
  EXPECT_EQ(load("c", "bad.safetensors"), 422);
  EXPECT_EQ(load("c", "../model.safetensors"), 400);
  EXPECT_EQ(load("c", "link.safetensors"), 400);
  EXPECT_EQ(load("c", "/etc/passwd"), 400);
  EXPECT_EQ(load("../c", "one"), 400);
  EXPECT_EQ(load("", "one"), 400);
  EXPECT_EQ(ask(server.port(), "POST", "/models", json_type, "{}")->status, 400);
  EXPECT_EQ(ask(server.port(), "POST", "/models", json_type, "{")->status, 400);
  EXPECT_EQ(ask(server.port(), "POST", "/models", "Content-Type: text/plain\r\n", "{}")->status, 415);
  EXPECT_EQ(ask(server.port(), "GET", "/")->status, 404);  // the page asks the one model that there is otherwise
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(nlohmann::json::parse(ask(server.port(), "GET", "/models/a")->body).at("modelName"), "a");
  EXPECT_EQ(invoke("a"), 200);
  EXPECT_EQ(invoke("b"), 200);
  EXPECT_EQ(ask(server.port(), "DELETE", "/models/a")->status, 200);
  EXPECT_EQ(ask(server.port(), "DELETE", "/models/a")->status, 404);
  EXPECT_EQ(ask(server.port(), "GET", "/models/a")->status, 404);
  EXPECT_EQ(invoke("a"), 404);
  EXPECT_EQ(invoke("b"), 200);
  EXPECT_EQ(ask_little(server.port())->status, 404);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait_for(30), 0);
}

TEST_F(ServeLife, AModelBeyondTheMemoryLimitIsNotLoaded) {
  const RunningServer server({"--multi-model", "--models-folder", model_.parent_path(), "--memory-limit", "1"});
  const std::string body = R"({"model_name": "a", "url": "model.safetensors"})";
  EXPECT_EQ(ask(server.port(), "POST", "/models", json_type, body)->status, 507);
}

}  // namespace
}  // namespace plume::tests
