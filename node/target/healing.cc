// SPDX-License-Identifier: MIT
// Reads that find what lies here damaged.
#include "node/target/local_target.h"

namespace aisfs::target {
namespace {

/// What is left of a body whose object was healed on the way; an error when it was not.
using Reopen = std::function<Task<Result<ObjectStream>>(ByteRange rest)>;

/// The bytes of a file that is compared with its hashes while it is read. Nothing of a damaged
/// block has left yet when it is found: the body goes on with the good copy, of the same version.
class HealingBody final : public BodySource {
 public:
  HealingBody(std::unique_ptr<BodySource> inner, ByteRange range, Reopen reopen)
      : inner_(std::move(inner)), rest_(range), reopen_(std::move(reopen)) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    auto got = co_await inner_->read(into);
    if (!got && is_damage(got.error()) && reopen_) {
      const Reopen reopen = std::exchange(reopen_, nullptr);  // once: the new file is a good one
      auto healed = co_await reopen(rest_);
      if (!healed) co_return got;
      inner_ = std::move(healed->body);
      got = co_await inner_->read(into);
    }
    if (!got) co_return got;
    rest_.offset += *got;
    rest_.length -= *got;
    co_return got;
  }

  std::optional<std::uint64_t> remaining() const override { return inner_->remaining(); }
  const FileSlice* file() const override { return inner_->file(); }
  Task<Status> bring_in(std::uint64_t offset, std::uint64_t length) override {
    return inner_->bring_in(offset, length);
  }

 private:
  std::unique_ptr<BodySource> inner_;
  ByteRange rest_;
  Reopen reopen_;
};

Task<Result<ObjectStream>> not_now() { co_return Error(Errc::corrupt); }

}  // namespace

Task<Result<ObjectStream>> LocalTarget::open_object(store::Key key,
                                                    GetOptions options,
                                                    VerifyRead verify) {
  auto stream = co_await store_.open_object(key, options, verify);
  if (!stream && is_damage(stream.error())) {
    stream = co_await open_healed(key, std::move(options), verify);
  }
  if (!stream || stream->body->file() != nullptr) co_return stream;
  const Version version = stream->info.content_version;
  Reopen reopen = [this, key, version, verify](ByteRange rest) {
    GetOptions same{.range = rest, .version = version};
    return open_healed(key, std::move(same), verify);
  };
  stream->body =
      std::make_unique<HealingBody>(std::move(stream->body), stream->range, std::move(reopen));
  co_return stream;
}

Task<Result<ObjectStream>> LocalTarget::open_healed(store::Key key,
                                                    GetOptions options,
                                                    VerifyRead verify) {
  CO_TRY([[maybe_unused]] const auto checked, co_await healer_.check(key));
  co_return co_await store_.open_object(std::move(key), std::move(options), verify);
}

/// What is healed by others' copies they may be about to heal by this one: not while they wait.
Task<Result<store::ObjectCopy>> LocalTarget::open_copy(store::Key key) {
  auto copy = co_await store_.open_copy(key);
  if (!copy && is_damage(copy.error())) healer_.suspect(key);
  if (!copy || copy->body->file() != nullptr) co_return copy;
  Reopen later = [this, key](ByteRange) {
    healer_.suspect(key);
    return not_now();
  };
  const ByteRange all{0, copy->meta.info.size};
  copy->body = std::make_unique<HealingBody>(std::move(copy->body), all, std::move(later));
  co_return copy;
}

}  // namespace aisfs::target
