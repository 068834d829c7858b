// The documentation's upload in chunks (Amazon S3 API Reference, "Transferring Payload in Multiple Chunks" and
// "Including Trailing Headers"): 65 KiB of 'a' in chunks of 64 KiB.
#include "cloud/signing/chunked.hpp"

#include <gtest/gtest.h>

#include "example_keys.hpp"
#include "kernels/base/crc32c.hpp"

namespace plume::tests {
namespace {

using namespace cloud;

const std::string body(66560, 'a');

Headers upload_headers(std::string_view payload) {
  return {{"Host", "s3.amazonaws.com"},
          {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
          {"Content-Encoding", "aws-chunked"},
          {"x-amz-decoded-content-length", "66560"},
          {"x-amz-content-sha256", std::string(payload)}};
}

// The body as it is sent.
std::string encoded(ChunkFrames& frames, const Headers& trailers) {
  std::string text;
  for (std::string_view rest = body; !rest.empty();) {
    const std::string_view chunk = rest.substr(0, 65536);
    text += frames.before(as_bytes(chunk));
    text += chunk;
    text += "\r\n";
    rest.remove_prefix(chunk.size());
  }
  return text + frames.end(trailers);
}

TEST(Chunked, SignsTheDocumentationsUpload) {
  Headers headers = upload_headers(streaming_payload);
  headers.push_back({"Content-Length", "66824"});
  const Signature seed = sign_headers("PUT", "/examplebucket/chunkObject.txt", "", headers, example_keys(),
                                      example_key(), example_time, s3_path, streaming_payload);
  EXPECT_EQ(seed.signature, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  ChunkFrames frames(example_key(), example_time, seed.signature);
  const std::string text = encoded(frames, {});
  EXPECT_EQ(text.size(), 66824U);
  EXPECT_EQ(frames.signature(), "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

TEST(Chunked, SignsTheDocumentationsTrailer) {
  Headers headers = upload_headers(streaming_payload_trailer);
  headers.push_back({"x-amz-trailer", "x-amz-checksum-crc32c"});
  const Signature seed = sign_headers("PUT", "/examplebucket/chunkObject.txt", "", headers, example_keys(),
                                      example_key(), example_time, s3_path, streaming_payload_trailer);
  EXPECT_EQ(seed.signature, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  ChunkFrames frames(example_key(), example_time, seed.signature);
  const std::string text = encoded(frames, {{"x-amz-checksum-crc32c", "sOO8/Q=="}});
  EXPECT_NE(text.find("b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"), std::string::npos);
  EXPECT_NE(text.find("1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"), std::string::npos);
  EXPECT_NE(text.find("2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"), std::string::npos);
  EXPECT_EQ(frames.signature(), "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}

TEST(Chunked, FramesWithoutSignatures) {
  ChunkFrames frames;
  EXPECT_EQ(frames.before(as_bytes("hello")), "5\r\n");
  EXPECT_EQ(frames.end({{"x-amz-checksum-crc32c", "mnG7TA=="}}), "0\r\nx-amz-checksum-crc32c:mnG7TA==\r\n\r\n");
}

TEST(Chunked, KnowsTheSizeBeforehand) {
  const Headers trailers{{"x-amz-checksum-crc32c", "sOO8/Q=="}};
  for (const bool with_signatures : {false, true}) {
    for (const Headers& behind : {Headers{}, trailers}) {
      ChunkFrames frames = with_signatures ? ChunkFrames(example_key(), example_time, "seed") : ChunkFrames();
      EXPECT_EQ(encoded(frames, behind).size(), chunked_size(body.size(), 65536, with_signatures, behind));
    }
  }
  ChunkFrames frames;
  EXPECT_EQ(frames.end({}).size(), chunked_size(0, 65536, false, {}));
}

}  // namespace
}  // namespace plume::tests
