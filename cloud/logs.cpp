// The streams that were written to last, each from its end.
#include "cloud/logs.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cloud/protocols/json.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr const char* prefix = "Logs_20140328";
constexpr int most_streams = 5;  // an endpoint has one a machine

LogLine line_of(const Json& event, const std::string& stream) {
  return {std::chrono::sys_time<milliseconds>(milliseconds(event.value("timestamp", 0L))), stream,
          event.value("message", ""), event.value("eventId", "")};
}

void sort_by_time(std::vector<LogLine>& lines) {
  std::stable_sort(lines.begin(), lines.end(),
                   [](const LogLine& one, const LogLine& other) { return one.time < other.time; });
}

bool is_missing(const Error& error) {
  return error.code() == "ResourceNotFoundException";
}

}  // namespace

std::vector<LogLine> Logs::last(const std::string& group, std::size_t count) {
  std::vector<LogLine> lines;
  try {
    const Json streams = json_call(
        client_, endpoint_, prefix, "DescribeLogStreams",
        {{"logGroupName", group}, {"orderBy", "LastEventTime"}, {"descending", true}, {"limit", most_streams}}, true);
    for (const Json& stream : streams.value("logStreams", Json::array())) {
      const std::string name = stream.value("logStreamName", "");
      const Json reply = json_call(client_, endpoint_, prefix, "GetLogEvents",
                                   {{"logGroupName", group}, {"logStreamName", name}, {"limit", count}}, true);
      for (const Json& event : reply.value("events", Json::array())) lines.push_back(line_of(event, name));
    }
  } catch (const Error& error) {
    if (!is_missing(error)) throw;
  }
  sort_by_time(lines);
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return lines;
}

std::vector<LogLine> Logs::since(const std::string& group, std::chrono::sys_time<milliseconds> time) {
  std::vector<LogLine> lines;
  Json input{{"logGroupName", group}, {"startTime", time.time_since_epoch().count()}};
  try {
    while (true) {
      const Json reply = json_call(client_, endpoint_, prefix, "FilterLogEvents", input);
      for (const Json& event : reply.value("events", Json::array()))
        lines.push_back(line_of(event, event.value("logStreamName", "")));
      const std::string next = reply.value("nextToken", "");
      if (next.empty()) break;
      input["nextToken"] = next;
    }
  } catch (const Error& error) {
    if (!is_missing(error)) throw;
  }
  sort_by_time(lines);
  return lines;
}

bool Logs::create(const std::string& group, int days) {
  try {
    static_cast<void>(json_call(client_, endpoint_, prefix, "CreateLogGroup", {{"logGroupName", group}}));
  } catch (const Error& error) {
    if (error.code() != "ResourceAlreadyExistsException") throw;
    return false;
  }
  try {
    static_cast<void>(json_call(client_, endpoint_, prefix, "PutRetentionPolicy",
                                {{"logGroupName", group}, {"retentionInDays", days}}));
  } catch (const Error&) {
    remove(group);
    throw;
  }
  return true;
}

bool Logs::remove(const std::string& group) {
  try {
    static_cast<void>(json_call(client_, endpoint_, prefix, "DeleteLogGroup", {{"logGroupName", group}}, true));
    return true;
  } catch (const Error& error) {
    if (!is_missing(error)) throw;
    return false;
  }
}

}  // namespace plume::cloud
