// The server as its clients meet it: numbers in and out, paths, headers, and what is refused.
#include "serve_program.hpp"

#include <fmt/core.h>

#include <limits>
#include <set>

#include "../python.hpp"
#include "data/images/npy.hpp"

namespace plume::tests {
namespace {

TEST_F(ServeProgram, JsonInIsJsonOut) {
  const auto pixels = drawn_pixels(values);
  const auto expected = predicted(*network_, pixels, 1, height, width);
  const std::string body = json_body(pixels, 1, height, width);
  for (const std::string& text : {body, R"({"instances": )" + body + "}", body.substr(1, body.size() - 2)}) {
    const auto answer = post(json_type, text);
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(answer->header("content-type"), "application/json");
    EXPECT_EQ(predictions_of(*answer), expected);
  }
}

TEST_F(ServeProgram, NpyInIsNpyOut) {
  const auto pixels = drawn_pixels(2 * values);
  const std::array<std::int64_t, 4> shape{2, height, width, 3};
  const auto body = data::encode_npy(shape, pixels);
  const auto answer = post("Content-Type: application/x-npy\r\nAccept: application/x-npy\r\n",
                           {reinterpret_cast<const char*>(body.data()), body.size()});
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(answer->header("content-type"), "application/x-npy");
  const auto array = data::decode_npy(std::as_bytes(std::span(answer->body)), "answer");
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, height, width, 1}));
  EXPECT_EQ(array.values, predicted(*network_, pixels, 2, height, width));
}

TEST_F(ServeProgram, NumbersWithAShapeOfAnySizeAndCount) {
  for (const auto& [images, rows, columns] : {std::tuple{1, 1, 1}, {3, 37, 50}, {1, 300, 5}, {17, 4, 4}}) {
    const auto pixels = drawn_pixels(static_cast<std::size_t>(images * rows * columns * 3));
    const auto answer = post(raw_headers(images, rows, columns), raw_body(pixels));
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(predictions_of(*answer), predicted(*network_, pixels, images, rows, columns));
  }
}

TEST_F(ServeProgram, ShapeAndTypeMayStandInTheContentType) {
  const std::vector<float> pixels{1, 2, 3, 250, 5, 6};
  const std::string bytes{1, 2, 3, '\xfa', 5, 6};
  for (const char* type :
       {"application/octet-stream; shape=1x1x2x3; dtype=u1", R"(application/octet-stream;dtype=u1;shape="1,1,2,3")"}) {
    const auto answer = post(fmt::format("Content-Type: {}\r\n", type), bytes);
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(predictions_of(*answer), predicted(*network_, pixels, 1, 1, 2));
  }
}

TEST_F(ServeProgram, BodiesThatAreNotWhatTheyShouldBeAreRefused) {
  const std::string good = json_body(drawn_pixels(values), 1, height, width);
  expect_refused(415, "Content-Type", "", good);
  expect_refused(415, "Content-Type", "Content-Type: json\r\n", good);
  expect_refused(415, "'text/csv'", "Content-Type: text/csv\r\n", good);
  expect_refused(415, "gzip", json_type + "Content-Encoding: gzip\r\n", good);
  expect_refused(400, "JSON", json_type, "");
  expect_refused(400, "JSON", json_type, good.substr(0, good.size() / 2));
  expect_refused(400, "JSON", json_type, "[[[[1,2,NaN]]]]");
  expect_refused(400, "elements", json_type, "[[[[1,2,3],[1,2]]]]");
  expect_refused(400, "", json_type, std::string(1'000'000, '['));
  expect_refused(422, "2 bands, the model takes 3", json_type, "[[[[1,2]]]]");
  expect_refused(422, "row 0, column 1, band 2", json_type, "[[[[1,2,3],[4,5,1e39]]]]");
  expect_refused(422, "shape", json_type, "[[1,2,3]]");
  expect_refused(422, "empty", json_type, "[[[]]]");
  expect_refused(400, "npy", "Content-Type: application/x-npy\r\n", "\x93NUMPY\x01");
  expect_refused(400, "X-Plume-Shape", "Content-Type: application/octet-stream\r\n", "1234");
  expect_refused(413, "at most", raw_headers(1, 1'000'000, 1'000'000), "1234");
  // Each image of a pixel is padded to 4x4, and computed as such.
  expect_refused(413, "multiples of 4", raw_headers(1'500'000, 1, 1) + "X-Plume-Dtype: u1\r\n",
                 std::string(4'500'000, '\1'));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  expect_refused(422, "finite", raw_headers(1, 1, 1), raw_body({1, nan, 3}));
  const auto answer = post(json_type, good);
  EXPECT_EQ(answer->status, 200);
}

TEST_F(ServeProgram, ANpyThatClaimsAHugeShapeIsRefused) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1000000, 1000000, 6), }\n";
  const std::string body =
      std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + "1234";
  expect_refused(400, "more or fewer numbers", "Content-Type: application/x-npy\r\n", body);
}

TEST_F(ServeProgram, AcceptChoosesTheAnswer) {
  const std::string body = json_body(drawn_pixels(values), 1, height, width);
  const auto type_for = [&](const std::string& accept) {
    const auto answer = post(json_type + "Accept: " + accept + "\r\n", body);
    return answer && answer->status == 200 ? answer->header("content-type")
                                           : fmt::format("{}", answer ? answer->status : 0);
  };
  EXPECT_EQ(type_for("*/*"), "application/json");
  EXPECT_EQ(type_for("text/html, application/*;q=0.1"), "application/json");
  EXPECT_EQ(type_for("application/json;q=0.5, application/x-npy"), "application/x-npy");
  EXPECT_EQ(type_for("text/html"), "406");
  EXPECT_EQ(type_for("application/json;q=0"), "406");
  EXPECT_EQ(type_for("application/json; threshold=2"), "406");
  EXPECT_EQ(type_for("image/png; kind=drawing"), "406");
  EXPECT_EQ(type_for("application/geo+json; simplify=-1"), "406");
  EXPECT_EQ(type_for("no type"), "400");
}

TEST_F(ServeProgram, PathsAndMethods) {
  const int port = server_->port();
  const auto status = [&](std::string_view method, std::string_view path) { return ask(port, method, path)->status; };
  const auto ping = ask(port, "GET", "/ping");
  EXPECT_EQ(ping->status, 200);
  EXPECT_EQ(ping->body, "");
  EXPECT_EQ(status("HEAD", "/ping"), 200);
  EXPECT_EQ(ask(port, "GET", "/ping?x=1")->status, 200);
  for (const char* path : {"/pin", "/ping/", "//ping", "/%70ing", "/./ping", "/../ping", "/ping/../../../etc/passwd",
                           "/PING", "/models", "/models/a/invoke", "/..%2f..%2fetc/passwd", "/page.html", "*"}) {
    EXPECT_EQ(status("GET", path), 404) << path;
  }
  for (const auto& [method, path] : {std::pair{"POST", "/ping"},
                                     {"DELETE", "/"},
                                     {"GET", "/invocations"},
                                     {"PUT", "/invocations"},
                                     {"BREW", "/metrics"},
                                     {"TRACE", "/ping"}}) {
    EXPECT_EQ(status(method, path), 405) << method << path;
  }
  EXPECT_EQ(ask(port, "GET", "/invocations")->header("allow"), "POST");
  EXPECT_EQ(ask(port, "POST", "/ping")->header("allow"), "GET, HEAD");
  const auto page = ask(port, "GET", "/");
  EXPECT_EQ(page->header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page->header("content-security-policy"), "frame-ancestors 'none'");
  EXPECT_EQ(page->header("x-content-type-options"), "nosniff");
  const auto parameters = nlohmann::json::parse(ask(port, "GET", "/execution-parameters")->body);
  EXPECT_EQ(parameters.at("MaxPayloadInMB"), 6);
}

TEST_F(ServeProgram, OpenApiTellsOfEveryPathThereIs) {
  const auto document = nlohmann::json::parse(ask(server_->port(), "GET", "/openapi.json")->body);
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  std::set<std::string> told;
  for (const auto& [path, item] : document.at("paths").items()) {
    told.insert(path);
    for (const auto& [method, operation] : item.items()) {
      if (method == "parameters") continue;
      EXPECT_TRUE(operation.at("responses").contains("default")) << method << path;  // a header too large, a slow client
    }
    if (path.starts_with("/models")) continue;  // with --multi-model
    const bool get = item.contains("get");
    if (!path.ends_with("{name}")) {
      EXPECT_NE(ask(server_->port(), get ? "GET" : "POST", path)->status, 404) << path;
    }
    EXPECT_EQ(ask(server_->port(), get ? "POST" : "GET", path)->status, 405) << path;
  }
  EXPECT_EQ(told, (std::set<std::string>{"/", "/execution-parameters", "/invocations", "/metrics", "/models",
                                         "/models/{name}", "/models/{name}/invoke", "/openapi.json", "/ping",
                                         "/samples", "/samples/{name}"}));
}

TEST_F(ServeProgram, OpenApiIsValid) {
  if (!python_has("openapi_spec_validator", peers_python))
    GTEST_SKIP() << "no openapi_spec_validator in " << peers_python;
  write_file(*folder_ / "openapi.json", ask(server_->port(), "GET", "/openapi.json")->body);
  const Outcome outcome = run_command({peers_python, "-m", "openapi_spec_validator", *folder_ / "openapi.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output << outcome.errors;
}

TEST_F(ServeProgram, SageMakersAttributesComeBack) {
  const std::string body = json_body(drawn_pixels(values), 1, height, width);
  const auto echoed = [&](const std::string& attributes) {
    return post(json_type + "X-Amzn-SageMaker-Custom-Attributes: " + attributes + "\r\n", body)
        ->header("x-amzn-sagemaker-custom-attributes");
  };
  EXPECT_EQ(echoed("trace=1, who=me"), "trace=1, who=me");
  EXPECT_EQ(echoed(std::string(1024, 'a')), std::string(1024, 'a'));
  EXPECT_EQ(echoed(std::string(1025, 'a')), "");
  EXPECT_EQ(echoed("caf\xc3\xa9"), "");
}

TEST_F(ServeProgram, MetricsCountWhatHappened) {
  const double before = server_->metric("plume_requests_total{code=\"422\"}");
  const double images = server_->metric("plume_batch_images_sum");
  expect_refused(422, "bands", json_type, "[[[[1,2]]]]");
  EXPECT_EQ(post(json_type, json_body(drawn_pixels(values), 1, height, width))->status, 200);
  EXPECT_EQ(server_->metric("plume_requests_total{code=\"422\"}"), before + 1);
  EXPECT_EQ(server_->metric("plume_batch_images_sum"), images + 1);
  for (const char* stage : {"queue", "parse", "infer", "encode"}) {
    EXPECT_GT(server_->metric(fmt::format("plume_stage_seconds_count{{stage=\"{}\"}}", stage)), 0) << stage;
  }
  EXPECT_EQ(server_->metric("plume_queue_requests"), 0);
  EXPECT_EQ(server_->metric("plume_in_flight_bytes"), 0);
  EXPECT_GT(server_->metric("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(server_->metric("process_open_fds"), 3);
}

TEST_F(ServeProgram, MetricsAreWhatPrometheusReads) {
  if (!python_has("prometheus_client.parser")) GTEST_SKIP() << "no Python module prometheus_client";
  write_file(*folder_ / "metrics", ask(server_->port(), "GET", "/metrics")->body);
  const Outcome outcome =
      run_command({python, "-c",
                   "import sys; from prometheus_client.parser import text_string_to_metric_families as read\n"
                   "print(*sorted(f.name + ':' + f.type for f in read(open(sys.argv[1]).read())))",
                   *folder_ / "metrics"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  for (const char* family :
       {"plume_requests:counter", "plume_request_seconds:histogram", "plume_stage_seconds:histogram",
        "plume_batch_images:histogram", "plume_queue_requests:gauge", "process_open_fds:gauge"}) {
    EXPECT_NE((" " + outcome.output).find(fmt::format(" {}", family)), std::string::npos)
        << family << " in " << outcome.output;
  }
}

TEST_F(ServeProgram, PipelinedPredictionsAreAnsweredInOrder) {
  Client client(server_->port());
  std::vector<std::vector<float>> expected;
  std::string all;
  for (int i = 1; i <= 10; ++i) {
    const auto pixels = drawn_pixels(static_cast<std::size_t>(i * 4 * 4 * 3));
    expected.push_back(predicted(*network_, pixels, i, 4, 4));
    all += request_text("POST", "/invocations", raw_headers(i, 4, 4), raw_body(pixels));
  }
  client.send(all);
  for (const auto& values_of_one : expected) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(predictions_of(*answer), values_of_one);
  }
}

}  // namespace
}  // namespace plume::tests
