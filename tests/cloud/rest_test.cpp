// Members of a value in all the places where HTTP has room for them.
#include "cloud/protocols/rest.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cloud/protocols/query.hpp"
#include "cloud/protocols/xml.hpp"
#include "expect_cloud_error.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

const Shape names{.type = Type::list, .members = {{"", &string_shape}}};

RestOperation example() {
  return {
      .name = "Example",
      .method = "POST",
      .uri = "/things/{Name}/parts?constant=1",
      .input = {.members = {{.name = "Name", .shape = &string_shape, .place = Place::label},
                            {.name = "Filter", .shape = &names, .wire_name = "filter", .place = Place::query},
                            {.name = "When", .shape = &timestamp_shape, .wire_name = "X-When", .place = Place::header},
                            {.name = "Data", .shape = &blob_shape, .wire_name = "data"}}},
      .output = {.members = {{.name = "Names", .shape = &names, .wire_name = "X-Names", .place = Place::header},
                             {.name = "Status", .shape = &integer_shape, .place = Place::status},
                             {.name = "Count", .shape = &integer_shape, .wire_name = "count"}}}};
}

TEST(Rest, PutsMembersWhereTheyGo) {
  const RestRequest request = rest_request(
      example(), {{"Name", "a/b c"}, {"Filter", {"x", "y&z"}}, {"When", 1}, {"Data", std::string("\xff\0", 2)}});
  EXPECT_EQ(request.path, "/things/a%2Fb%20c/parts");
  EXPECT_EQ(request.query, "constant=1&filter=x&filter=y%26z");
  EXPECT_EQ(*find_header(request.headers, "X-When"), "Thu, 01 Jan 1970 00:00:01 GMT");
  EXPECT_EQ(Json::parse(*request.body), Json::parse(R"({"data": "/wA="})"));
  EXPECT_EQ(*find_header(request.headers, "content-type"), "application/json");
}

TEST(Rest, NamesALabelThatIsMissing) {
  expect_cloud_error(Failure::usage, "Example: Name is missing",
                     [] { static_cast<void>(rest_request(example(), Json::object())); });
}

TEST(Rest, TakesAReplyApart) {
  const HttpResponse response{201, {{"x-names", "a, \"b, c\", d"}}, R"({"count": 3, "unknown": 1})"};
  EXPECT_EQ(rest_reply(example(), response),
            Json::parse(R"({"Names": ["a", "b, c", "d"], "Status": 201, "Count": 3})"));
  expect_cloud_error(Failure::unavailable, "no JSON", [] {
    static_cast<void>(rest_reply(example(), {200, {}, "<html>"}));
  });
}

TEST(Rest, XmlIsEscapedAndReadBack) {
  const Shape shape{.members = {{"Key", &string_shape},
                                {.name = "Name", .shape = &names, .flattened = true},
                                {.name = "Kind", .shape = &string_shape, .wire_name = "kind", .xml_attribute = true}},
                    .xml_namespace = {"http://x/"}};
  const Json value{{"Key", "<a>&\"b\"\r\n"}, {"Name", {"one", "two"}}, {"Kind", "k"}};
  const std::string text = to_xml(value, shape, "Root");
  EXPECT_EQ(text,
            "<Root xmlns=\"http://x/\" kind=\"k\"><Key>&lt;a&gt;&amp;&quot;b&quot;&#13;&#10;</Key><Name>one</Name>"
            "<Name>two</Name></Root>");
  EXPECT_EQ(from_xml(parse_xml("test", text).document_element(), shape), value);
}

TEST(Rest, FormsNestByDots) {
  const Shape inner{.members = {{"Names", &names}}};
  const QueryOperation operation{.name = "Do", .version = "1", .input = {.members = {{"In", &inner}}}};
  EXPECT_EQ(query_form(operation, {{"In", {{"Names", {"a", "b c"}}}}}),
            "Action=Do&Version=1&In.Names.member.1=a&In.Names.member.2=b%20c");
}

}  // namespace
}  // namespace plume::tests
