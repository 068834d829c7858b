// A request and its answer, as those see them who know nothing of connections.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "unet/serve/status.hpp"

namespace plume::serve::http {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;  // as sent: "GET"
  std::string path;    // without query; nothing is decoded, so "/%70ing" is not "/ping"
  std::vector<Header> headers;
  std::string body;
  std::string id;  // the client's X-Request-Id, or one made for it

  // A header's value, by its name in any case; empty where there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct Response {
  Status status = Status::ok;
  std::string content_type;  // empty where the body is
  std::string body;
  std::vector<Header> headers;  // besides those that the server writes itself
};

// An answer that tells of an error; {error, detail, request_id} as JSON.
[[nodiscard]] Response problem(Status status, std::string_view detail, std::string_view request_id);

// To be called once, from any thread.
using Reply = std::function<void(Response)>;

// What a server asks. handle() is called on the thread that reads and writes all connections, so it must return soon:
// what takes long replies later, from another thread.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;
  virtual void handle(Request request, Reply reply) = 0;
};

// Compares as header names are compared: without regard to case.
[[nodiscard]] bool same_name(std::string_view a, std::string_view b);

}  // namespace plume::serve::http
