// A client that sends any bytes, well formed or not, and reads answers one by one.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plume::tests {

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // Empty where there is none.
  [[nodiscard]] std::string header(std::string_view name) const;
};

// A connection to a port of this machine. Calls throw std::runtime_error where the system refuses.
class Client {
 public:
  explicit Client(int port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&& other) noexcept;

  // False where the server has closed the connection.
  bool send(std::string_view bytes);
  // The next answer; none where the connection ends, or nothing comes for so long.
  std::optional<Answer> receive(bool body = true, std::chrono::milliseconds limit = std::chrono::seconds(20));
  // Whether the server ends the connection within the limit, sending nothing more.
  bool ends(std::chrono::milliseconds limit = std::chrono::seconds(20));

  // Sends a request with Host and Content-Length, and reads the answer.
  std::optional<Answer> ask(std::string_view method, std::string_view path, std::string_view headers = {},
                            std::string_view body = {});

  void shut_down_sending() const;
  // Ends the connection with a reset, as a crashed client does.
  void reset();
  void small_receive_buffer() const;

 private:
  bool fill(std::chrono::milliseconds limit);

  int socket_ = -1;
  std::string received_;
};

// One request on a connection of its own.
[[nodiscard]] std::optional<Answer> ask(int port, std::string_view method, std::string_view path,
                                        std::string_view headers = {}, std::string_view body = {});

// As a request is sent: request line, Host, Content-Length, the headers (each with its line's end), the body.
[[nodiscard]] std::string request_text(std::string_view method, std::string_view path, std::string_view headers = {},
                                       std::string_view body = {});

}  // namespace plume::tests
