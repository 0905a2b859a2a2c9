// SPDX-License-Identifier: MIT
// AIStore's REST API as its clients see it: statuses, headers, JSON shapes, sentences.
#include "node/front/native/native_front.h"

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "common/http/head_writer.h"
#include "common/placement/hrw.h"
#include "common/wire/data.h"
#include "node/front/native/msgpack.h"
#include "tests/unit/node/front/native/native_fixture.h"

namespace aisfs::native {
namespace {

using testing::HasSubstr;

TEST_F(NativeTest, NobodyEntersWithoutCredentials) {
  for (const char* target : {"/v1/objects/b/k", "/v1/buckets/", "/v1/daemon?what=smap",
                             "/v1/x/head", "/v1/cluster?what=bmd"}) {
    EXPECT_EQ(call({.target = target, .user = ""}).head.status, 401) << target;
  }
  EXPECT_EQ(call({.target = "/v1/health", .user = ""}).head.status, 200);
}

TEST_F(NativeTest, ObjectLife) {
  EXPECT_EQ(put("dir/o", "0123456789").head.status, 200);
  const auto got = call({.target = "/v1/objects/b/dir/o?provider=ais"});
  EXPECT_EQ(got.head.status, 200);
  EXPECT_EQ(got.body, "0123456789");
  EXPECT_FALSE(field(got, "Ais-Version").empty());
  const auto head = call({.method = Method::kHead, .target = "/v1/objects/b/dir/o"});
  EXPECT_EQ(head.head.status, 200);
  EXPECT_EQ(field(head, "Content-Length"), "10");
  EXPECT_EQ(field(head, "Ais-Present"), "true");
  EXPECT_THAT(field(head, "ETag"), testing::StartsWith("\""));
  EXPECT_EQ(call({.method = Method::kDelete, .target = "/v1/objects/b/dir/o"}).head.status, 200);
  EXPECT_EQ(call({.method = Method::kDelete, .target = "/v1/objects/b/dir/o"}).head.status, 404);
}

TEST_F(NativeTest, AnObjectInMemoryIsAnsweredAsAnyOther) {
  cluster_.disks(0).keep_hot();
  ASSERT_EQ(call({.method = Method::kPut,
                  .target = "/v1/objects/b/o",
                  .body = "0123456789",
                  .fields = {{"Content-Type", "text/plain"}, {"Ais-Custom-Md", "k=v"}}})
                .head.status,
            200);
  auto fast = call({.target = "/v1/objects/b/o"});
  EXPECT_EQ(cluster_.disks(0).calls("get"), 0u);
  // A field that the fast way does not know leads to the handler.
  auto slow = call({.target = "/v1/objects/b/o", .fields = {{"X-Unknown", "1"}}});
  EXPECT_EQ(cluster_.disks(0).calls("get"), 1u);
  EXPECT_EQ(fast.head.status, 200);
  EXPECT_EQ(fast.body, "0123456789");
  EXPECT_EQ(slow.body, fast.body);
  EXPECT_EQ(field(fast, "Content-Length"), "10");
  for (auto* answer : {&fast, &slow}) answer->head.fields.remove("Date");
  EXPECT_EQ(http::text_of_fields(fast.head.fields), http::text_of_fields(slow.head.fields));
}

TEST_F(NativeTest, AnObjectInMemoryIsForThoseWhoMayReadItAndAsTheyAsk) {
  cluster_.disks(0).keep_hot();
  put("o", "0123456789");
  const std::string target = "/v1/objects/b/o";
  EXPECT_EQ(call({.target = target, .user = ""}).head.status, 401);
  EXPECT_EQ(call({.target = target, .user = "ann"}).head.status, 403);
  EXPECT_EQ(call({.target = "/v1/objects/b/none"}).head.status, 404);
  EXPECT_EQ(call({.target = "/v1/objects/nope/o"}).head.status, 404);
  EXPECT_NE(call({.target = target + "&ticket=abc"}).head.status, 200);
  EXPECT_EQ(call({.target = target + "?archpath=x"}).head.status, 501);
  EXPECT_EQ(call({.target = target + "?provider=aws"}).head.status, 501);
  const auto with = [&](std::string name, std::string value) {
    return call({.target = target, .fields = {{std::move(name), std::move(value)}}});
  };
  EXPECT_EQ(with("Range", "bytes=2-4").body, "234");
  EXPECT_EQ(with("If-None-Match", field(call({.target = target}), "ETag")).head.status, 304);
  EXPECT_EQ(with("If-Match", "\"else\"").head.status, 412);
  put("o", "new");
  EXPECT_EQ(call({.target = target}).body, "new");
}

TEST_F(NativeTest, Ranges) {
  put("o", "0123456789");
  const auto get = [&](std::string range) {
    return call({.target = "/v1/objects/b/o", .fields = {{"Range", std::move(range)}}});
  };
  const auto middle = get("bytes=2-4");
  EXPECT_EQ(middle.head.status, 206);
  EXPECT_EQ(middle.body, "234");
  EXPECT_EQ(field(middle, "Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(get("bytes=7-").body, "789");
  EXPECT_EQ(get("bytes=-2").body, "89");
  EXPECT_EQ(get("bytes=50-60").head.status, 416);
}

TEST_F(NativeTest, ErrorsSayWhatTheSdkLooksFor) {
  const auto object = call({.target = "/v1/objects/b/none"});
  EXPECT_EQ(object.head.status, 404);
  const auto error = parsed(object).as_object();
  EXPECT_THAT(std::string(error.at("message").as_string()), HasSubstr("ais://b/none"));
  EXPECT_EQ(error.at("status").as_int64(), 404);
  EXPECT_EQ(error.at("method").as_string(), "GET");
  EXPECT_EQ(object.body.find("://"), object.body.find("ais://b/none") + 3);
  const auto bucket = act(Method::kGet, "/v1/buckets/nope", R"({"action":"list","value":{}})");
  EXPECT_EQ(bucket.head.status, 404);
  EXPECT_THAT(bucket.body, HasSubstr(R"(bucket \"ais://nope\" does not exist)"));
  const auto head = call({.method = Method::kHead, .target = "/v1/objects/b/none"});
  EXPECT_EQ(head.head.status, 404);
  EXPECT_THAT(field(head, "Hdr-Error"), HasSubstr("ais://b/none"));
}

TEST_F(NativeTest, BucketLife) {
  const std::string create = R"({"action": "create-bck", "name": "", "value": null})";
  EXPECT_EQ(act(Method::kPost, "/v1/buckets/new", create).head.status, 200);
  const auto again = act(Method::kPost, "/v1/buckets/new", create);
  EXPECT_EQ(again.head.status, 409);
  EXPECT_THAT(again.body, HasSubstr(R"(bucket \"ais://new\" already exists)"));
  const auto head = call({.method = Method::kHead, .target = "/v1/buckets/new"});
  EXPECT_EQ(head.head.status, 200);
  const auto props = json::parse(field(head, "Ais-Bucket-Props")).as_object();
  EXPECT_EQ(props.at("provider").as_string(), "ais");
  EXPECT_TRUE(props.at("mirror").as_object().contains("copies"));
  const auto list = act(Method::kGet, "/v1/buckets/", R"({"action":"list","value":null})");
  EXPECT_EQ(parsed(list).as_array().size(), 2U);
  EXPECT_TRUE(parsed(list).as_array()[0].as_object().contains("namespace"));
  const std::string set =
      R"({"action":"set-bprops","value":{"versioning":{"enabled":true},"extra":{"aisfs":{"write_level":"data"}}}})";
  EXPECT_EQ(act(Method::kPatch, "/v1/buckets/new", set).head.status, 200);
  const auto bucket = cluster_.disks(0).current()->find_bucket(native_bucket("new"));
  EXPECT_EQ(bucket->props.versioning, Versioning::kEnabled);
  EXPECT_EQ(bucket->props.write_level, Durability::kData);
  const std::string destroy = R"({"action":"destroy-bck"})";
  EXPECT_EQ(act(Method::kDelete, "/v1/buckets/new", destroy).head.status, 200);
  EXPECT_EQ(act(Method::kDelete, "/v1/buckets/new", destroy).head.status, 404);
}

TEST_F(NativeTest, CopiesOnDisksAreAPropertyOfABucket) {
  const auto props = [&] {
    const auto head = call({.method = Method::kHead, .target = "/v1/buckets/new"});
    return json::parse(field(head, "Ais-Bucket-Props")).at("extra").at("aisfs").as_object();
  };
  const auto with = [](const std::string& action, const std::string& copies) {
    return R"({"action":")" + action + R"(","value":{"extra":{"aisfs":{"disk_copies":)" + copies +
           "}}}}";
  };
  const auto set = [&](const std::string& body) {
    return act(Method::kPatch, "/v1/buckets/new", body);
  };
  EXPECT_EQ(act(Method::kPost, "/v1/buckets/new", with("create-bck", "2")).head.status, 200);
  EXPECT_EQ(props().at("disk_copies"), json::value(2));
  EXPECT_EQ(set(with("set-bprops", "\"8\"")).head.status, 200);
  EXPECT_EQ(set(R"({"action":"set-bprops","value":{"versioning":{"enabled":true}}})").head.status,
            200);
  EXPECT_EQ(props().at("disk_copies"), json::value(8));
  for (const char* copies : {"0", "9", "-1", "4294967297"}) {
    const auto refused = set(with("set-bprops", copies));
    EXPECT_EQ(refused.head.status, 400) << copies;
    EXPECT_THAT(refused.body, HasSubstr("extra.aisfs.disk_copies must be ")) << copies;
  }
  EXPECT_EQ(props().at("disk_copies"), json::value(8));
  EXPECT_EQ(set(R"({"action":"reset-bprops"})").head.status, 200);
  EXPECT_EQ(props().at("disk_copies"), json::value(1));
}

TEST_F(NativeTest, BadBucketNamesAreRefused) {
  const std::string create = R"({"action":"create-bck"})";
  for (const char* name : {"*", ".", "%20", "bucket/bad", "bucket%20and", "%23bad", "$bad", ""}) {
    const auto reply = act(Method::kPost, "/v1/buckets/" + std::string(name), create);
    EXPECT_EQ(reply.head.status, 400) << name;
  }
}

TEST_F(NativeTest, ListingsInJsonWithPages) {
  for (int i = 0; i < 5; ++i) put("k" + std::to_string(i), std::string(i + 1, 'x'));
  const auto list = [&](std::string value) {
    return parsed(act(Method::kGet, "/v1/buckets/b", R"({"action":"list","value":)" + value + "}"));
  };
  const auto first = list(R"({"pagesize":2,"flags":"0"})").as_object();
  EXPECT_EQ(first.at("entries").as_array().size(), 2U);
  EXPECT_EQ(first.at("continuation_token").as_string(), "k1");
  const auto& entry = first.at("entries").as_array()[1].as_object();
  EXPECT_EQ(entry.at("name").as_string(), "k1");
  EXPECT_EQ(entry.at("size").as_string(), "2");
  const auto last = list(R"({"pagesize":2,"continuation_token":"k3"})").as_object();
  EXPECT_EQ(last.at("entries").as_array().size(), 1U);
  EXPECT_EQ(last.at("continuation_token").as_string(), "");
  const auto names = list(R"({"flags":"16","start_after":"k3"})").as_object();
  EXPECT_FALSE(names.at("entries").as_array()[0].as_object().contains("size"));
}

TEST_F(NativeTest, ListingWithoutRecursionShowsDirectories) {
  for (const char* key : {"a", "d/x", "d/y", "e/z"}) put(key, "1");
  const auto list = [&](std::string value) {
    const auto reply =
        act(Method::kGet, "/v1/buckets/b", R"({"action":"list","value":)" + value + "}");
    std::vector<std::string> names;
    const json::value page = parsed(reply);
    for (const auto& entry : page.as_object().at("entries").as_array()) {
      names.emplace_back(entry.as_object().at("name").as_string());
    }
    return names;
  };
  using testing::ElementsAre;
  EXPECT_THAT(list(R"({"flags":"2048"})"), ElementsAre("a", "d/", "e/"));
  EXPECT_THAT(list(R"({"flags":"10240"})"), ElementsAre("a"));
  EXPECT_THAT(list(R"({"flags":"2048","prefix":"d"})"), ElementsAre("d/x", "d/y"));
  EXPECT_THAT(list(R"({"flags":"2048","continuation_token":"d/"})"), ElementsAre("e/"));
  EXPECT_THAT(list(R"({"prefix":"d/"})"), ElementsAre("d/x", "d/y"));
}

TEST_F(NativeTest, ListingsInMsgpackHaveTheMembersThatTheSdkDemands) {
  put("k", "123");
  const auto reply = call({.target = "/v1/buckets/b",
                           .body = R"({"action":"list","value":{"uuid":"U"}})",
                           .fields = {{"Accept", "application/msgpack"}}});
  EXPECT_EQ(field(reply, "Content-Type"), "application/msgpack");
  MsgpackWriter expected;
  expected.map(4);
  for (const char* text : {"UUID", "U", "ContinuationToken", "", "Flags"}) expected.text(text);
  expected.number(0);
  expected.text("Entries");
  expected.array(1);
  EXPECT_THAT(reply.body, testing::StartsWith(std::move(expected).take()));
}

TEST(Msgpack, NumbersAndTextsAreShort) {
  MsgpackWriter out;
  out.number(5);
  out.number(300);
  out.text("ab");
  out.text(std::string(40, 'x'));
  out.array(20);
  EXPECT_EQ(std::move(out).take(), std::string("\x05\xcd\x01\x2c\xa2") + "ab" + "\xd9\x28" +
                                       std::string(40, 'x') + std::string("\xdc\x00\x14", 3));
}

TEST_F(NativeTest, CustomMetadataMergesAndReplaces) {
  put("o", "1");
  const std::string target = "/v1/objects/b/o";
  EXPECT_EQ(act(Method::kPatch, target, R"({"action":"","value":{"a":"1"}})").head.status, 200);
  EXPECT_EQ(act(Method::kPatch, target, R"({"value":{"b":"2"}})").head.status, 200);
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(cluster_.disks(0).info_of("b", "o")->user, (Map{{"a", "1"}, {"b", "2"}}));
  act(Method::kPatch, target + "?set-new-custom=true", R"({"value":{"c":"3"}})");
  EXPECT_EQ(cluster_.disks(0).info_of("b", "o")->user, (Map{{"c", "3"}}));
  const auto head = call({.method = Method::kHead, .target = target});
  EXPECT_EQ(field(head, "Ais-Custom-Md"), "c=3");
}

TEST_F(NativeTest, CopyAndRename) {
  put("o", "bytes");
  const auto copy =
      call({.method = Method::kPut, .target = "/v1/objects/b/o?object_to=ais/@%23/b/copy"});
  EXPECT_EQ(copy.head.status, 200) << copy.body;
  EXPECT_EQ(cluster_.disks(0).bytes_of("b", "copy"), "bytes");
  const auto away =
      call({.method = Method::kPut, .target = "/v1/objects/b/o?object_to=ais/@%23/none/copy"});
  EXPECT_EQ(away.head.status, 404);
  EXPECT_THAT(away.body, HasSubstr("does not exist"));
  const auto renamed = act(Method::kPost, "/v1/objects/b/o", R"({"action":"rename-obj","name":"n"})");
  EXPECT_EQ(renamed.head.status, 200);
  EXPECT_EQ(cluster_.disks(0).bytes_of("b", "n"), "bytes");
  EXPECT_FALSE(cluster_.disks(0).bytes_of("b", "o"));
}

TEST_F(NativeTest, AppendsAreInvisibleUntilFlushed) {
  const auto append = [&](std::string handle, std::string body) {
    const auto reply = call({.method = Method::kPut,
                             .target = "/v1/objects/b/o?append_type=append&append_handle=" + handle,
                             .body = std::move(body)});
    EXPECT_EQ(reply.head.status, 200) << reply.body;
    return percent_encode(field(reply, "Ais-Append-Handle"), Slash::kEncode);
  };
  std::string handle = append("", "one ");
  handle = append(handle, "two");
  EXPECT_FALSE(cluster_.disks(0).bytes_of("b", "o"));
  const auto flush = call({.method = Method::kPut,
                           .target = "/v1/objects/b/o?append_type=flush&append_handle=" + handle});
  EXPECT_EQ(flush.head.status, 200) << flush.body;
  EXPECT_EQ(cluster_.disks(0).bytes_of("b", "o"), "one two");
}

TEST_F(NativeTest, MultipartIsCompletedAsAWholeOnly) {
  const std::string target = "/v1/objects/b/m";
  const std::string id = act(Method::kPost, target, R"({"action":"mpt-upload"})").body;
  ASSERT_FALSE(id.empty());
  const auto complete = [&](std::string parts) {
    return act(Method::kPost, target + "?uploadId=" + id,
               R"({"action":"mpt-complete","value":)" + parts + "}");
  };
  EXPECT_THAT(complete("[]").body, HasSubstr("no chunks"));
  for (const char* number : {"2", "1"}) {
    const auto part = call({.method = Method::kPut,
                            .target = target + "?uploadId=" + id + "&partNumber=" + number,
                            .body = std::string("part") + number});
    EXPECT_EQ(part.head.status, 200) << part.body;
  }
  const auto empty =
      call({.method = Method::kPut, .target = target + "?uploadId=" + id + "&partNumber=3"});
  EXPECT_EQ(empty.head.status, 400);
  EXPECT_THAT(empty.body, HasSubstr("invalid size (0)"));
  const auto partial = complete(R"([{"part-number":1,"etag":""}])");
  EXPECT_EQ(partial.head.status, 501);
  EXPECT_THAT(partial.body, HasSubstr("partial completion is not allowed"));
  const auto whole = complete(R"([{"part-number":1,"etag":""},{"part-number":2,"etag":""}])");
  EXPECT_EQ(whole.head.status, 200) << whole.body;
  EXPECT_EQ(cluster_.disks(0).bytes_of("b", "m"), "part1part2");
}

TEST_F(NativeTest, ChecksumsOfTheBodyAreChecked) {
  const auto reply = call({.method = Method::kPut,
                           .target = "/v1/objects/b/o",
                           .body = "hello",
                           .fields = {{"Ais-Checksum-Type", "md5"},
                                      {"Ais-Checksum-Value", std::string(32, '0')}}});
  EXPECT_EQ(reply.head.status, 400);
  EXPECT_FALSE(cluster_.disks(0).bytes_of("b", "o"));
}

TEST_F(NativeTest, MapsAreInAistoresWords) {
  const auto smap = parsed(call({.target = "/v1/daemon?what=smap"})).as_object();
  EXPECT_TRUE(smap.at("tmap").as_object().contains("t0"));
  EXPECT_TRUE(smap.at("version").is_string());
  const auto& node = smap.at("proxy_si").as_object();
  EXPECT_EQ(node.at("daemon_type").as_string(), "proxy");
  EXPECT_EQ(node.at("id_digest").to_number<std::uint64_t>(), placement::digest("t0"));
  EXPECT_EQ(node.at("public_net").as_object().at("direct_url").as_string(),
            "http://" + cluster_.endpoint(0).to_string());
  const auto bmd = parsed(call({.target = "/v1/cluster?what=bmd"})).as_object();
  EXPECT_TRUE(bmd.at("providers").as_object().at("ais").as_object().at("").as_object().contains("b"));
  const auto seen_by_ann = parsed(call({.target = "/v1/cluster?what=bmd", .user = "ann"}));
  EXPECT_FALSE(seen_by_ann.as_object().at("providers").as_object().contains("ais"));
}

TEST_F(NativeTest, WhatIsNotHereIsNotTakenForAWrongUrl) {
  EXPECT_EQ(call({.target = "/v1/etl"}).head.status, 501);
  EXPECT_EQ(call({.target = "/v1/reverse/daemon?what=log"}).head.status, 501);
  EXPECT_EQ(call({.target = "/v1/nonesuch"}).head.status, 404);
  EXPECT_EQ(call({.target = "/v1/cluster?what=status_all"}).body, "[]");
  EXPECT_EQ(call({.target = "/v1/cluster?what=qryxstats"}).body, "{}");
}

TEST_F(NativeTest, AnOldEpochIsRefusedWithTheNewOne) {
  const auto reply = call({.target = "/v1/objects/b/o", .fields = {{"Ais-Epoch", "1"}}});
  EXPECT_EQ(reply.head.status, 409);
  EXPECT_THAT(field(reply, "Ais-Error"), testing::StartsWith("stale_map "));
  EXPECT_EQ(field(reply, "Ais-Epoch"), std::to_string(cluster_.maps().current()->epoch));
}

TEST_F(NativeTest, RemoteProvidersHaveNoBackend) {
  const auto reply =
      act(Method::kGet, "/v1/buckets/?provider=aws", R"({"action":"list","value":null})");
  EXPECT_EQ(reply.head.status, 501);
}

class TwoTargets : public NativeTest {
 protected:
  TwoTargets() : NativeTest(2) {}

  /// A key that the node owns.
  std::string key_of(std::size_t node) {
    const MapSnapshot map = cluster_.maps().current();
    for (int i = 0;; ++i) {
      std::string key = "k" + std::to_string(i);
      const ObjectName name{native_bucket("b"), key};
      if (placement::owner_of(*map, name)->id == "t" + std::to_string(node)) return key;
    }
  }
};

TEST_F(TwoTargets, RedirectsLeadToTheOwnerWithoutCredentials) {
  const std::string key = key_of(1);
  cluster_.disks(1).store("b", key, "there");
  const auto redirect = call({.target = "/v1/objects/b/" + key + "?provider=ais", .node = 0});
  EXPECT_EQ(redirect.head.status, 301);
  const std::string location = field(redirect, "Location");
  const std::string root = "http://" + cluster_.endpoint(1).to_string();
  ASSERT_THAT(location, testing::StartsWith(root));
  EXPECT_THAT(location, HasSubstr("&pid=t0&utm="));
  const std::string target = location.substr(root.size());
  const auto got = call({.target = target, .node = 1, .user = ""});
  EXPECT_EQ(got.head.status, 200) << got.body;
  EXPECT_EQ(got.body, "there");
  // The ticket is for this method and this target only.
  EXPECT_EQ(call({.method = Method::kDelete, .target = target, .node = 1, .user = ""}).head.status,
            401);
  std::string other = target;
  other.replace(other.find(key), key.size(), key + "x");
  EXPECT_EQ(call({.target = other, .node = 1, .user = ""}).head.status, 401);
}

TEST_F(TwoTargets, RedirectsOfWritesKeepTheMethodAndCloseBehindABody) {
  const auto reply = call(
      {.method = Method::kPut, .target = "/v1/objects/b/" + key_of(1), .body = "x", .node = 0});
  EXPECT_EQ(reply.head.status, 307);
  EXPECT_EQ(field(reply, "Connection"), "close");
  EXPECT_EQ(cluster_.disks(1).calls("put"), 0U);
}

TEST_F(TwoTargets, AMarkedRequestIsNeverForwarded) {
  const auto reply = call({.target = "/v1/objects/b/" + key_of(1),
                           .fields = {{"Ais-Scope", "node"}},
                           .node = 0});
  EXPECT_EQ(reply.head.status, 409);
  EXPECT_THAT(field(reply, "Ais-Error"), testing::StartsWith("stale_map "));
  EXPECT_EQ(cluster_.disks(1).calls("get"), 0U);
}

TEST_F(TwoTargets, TheRouterForwardsOneHopInTheNameOfTheCaller) {
  const ObjectName name{native_bucket("b"), key_of(1)};
  ObjectApi& at_first = cluster_.router(0).anywhere();
  StringSource body("from afar");
  const Context root{.who = auth::test_identity("root", true), .deadline = {}, .trace = {}};
  const auto put = cluster_.run(at_first.put(root, name, {}, {}, body));
  ASSERT_TRUE(put.ok()) << put.error().what();
  EXPECT_EQ(cluster_.disks(1).bytes_of("b", name.key), "from afar");
  EXPECT_EQ(cluster_.run(at_first.head(root, name, {}))->size, 9U);
  const Context ann{.who = auth::test_identity("ann", false), .deadline = {}, .trace = {}};
  EXPECT_EQ(cluster_.run(at_first.head(ann, name, {})).error().code(), Errc::permission_denied);
  const Context nobody;
  EXPECT_EQ(cluster_.run(at_first.head(nobody, name, {})).error().code(), Errc::permission_denied);
  // Past the gate of the first node the second still asks who it is.
  const NodeInfo second = *cluster_.maps().current()->find_node("t1");
  const auto direct = cluster_.router(0).at(second);
  EXPECT_EQ(cluster_.run(direct->head(ann, name, {})).error().code(), Errc::permission_denied);
}

}  // namespace
}  // namespace aisfs::native
