// SPDX-License-Identifier: MIT
// Multipart uploads on disk: <bucket>/%up/<upload>/ holds
//
//   upload        what create_upload was given
//   <number>.p    a part's record; names the file with its bytes
//   <number>-<n>  the bytes of a part
//   done          the object that came out; the same answer for a second complete
#pragma once
#include "node/store/put.h"

namespace aisfs::store {

struct UploadRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  BucketId bucket;
  std::string key;
  std::string initiator;
  std::int64_t started_ns = 0;
  Durability level{};
  std::string content_type;
  std::map<std::string, std::string> headers, user, xattrs, checksums;
  std::optional<PosixAttrs> posix;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket, key, initiator, started_ns, level, content_type, headers, user, xattrs, checksums,
       posix);
  }
};

struct PartRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  UploadPart part;
  std::string md5;  // raw
  std::string file;
  BlockHashes hashes;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(part, md5, file, hashes);
  }
};

struct FinishedUpload {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  ObjectInfo info;
  std::int64_t finished_ns = 0;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(info, finished_ns);
  }
};

/// One upload's folder. All functions block.
class UploadFolder {
 public:
  UploadFolder(Mountpath& mp, const BucketName& bucket, const std::string& upload);

  Status create(const UploadRecord& record);
  /// not_found: "upload ... does not exist".
  Result<UploadRecord> load() const;
  Result<std::optional<FinishedUpload>> finished() const;
  Status finish(const FinishedUpload& record);
  Status remove();

  /// Takes the body's work file as the part's bytes; a part of the same number is replaced.
  Status put_part(PartRecord record, Body& body);
  Result<std::vector<PartRecord>> parts() const;  // by number

  const std::string& path() const { return dir_; }
  std::string path(const std::string& name) const { return dir_ + "/" + name; }

 private:
  template <class Record>
  Status save(const std::string& name, const Record& record);

  Mountpath& mp_;
  const std::string upload_, dir_;
};

/// Uploads have locks of their own: who changes one holds it.
std::uint64_t upload_hash(const std::string& upload);

/// Where the upload lies: at its key's place, or where it began while names move. The place for one
/// that is not there.
Task<std::shared_ptr<Mountpath>> find_upload(Engine& engine, const Key& key, std::string upload);

/// Uploads of a bucket on a mountpath, those that are done too: id and key. Blocks.
Result<std::vector<std::pair<std::string, std::string>>> uploads_in(Mountpath& mp,
                                                                    const BucketName& bucket);

/// Moves the folder of an upload; its lock is held. Nothing there is success.
Task<Status> move_upload(
    Mountpath& from, Mountpath& to, BucketId bucket, BucketName name, std::string upload);

/// Appends the parts to the first one's file and makes it the body; hashes are combined where the
/// parts are whole blocks, else computed. Blocks. After a failure the first part's file is longer
/// than its record says: the next try cuts it.
Status join_parts(Body& body, Mountpath& mp, const UploadFolder& folder,
                  const std::vector<PartRecord>& parts);

/// "<md5 of the parts' md5s>-<count>", as S3 does.
std::string etag_of_parts(const std::vector<PartRecord>& parts);

/// Of the names in `wanted`, the composite checksums: base64(hash of the parts' raw checksums)-<count>.
/// A name that a part does not have is left out; a value that is there stays.
std::map<std::string, std::string> checksums_of_parts(
    const std::map<std::string, std::string>& wanted, const std::vector<PartRecord>& parts);

/// The parts that the client names, in its order. invalid_argument names the bad one.
Result<std::vector<PartRecord>> pick_parts(std::vector<PartRecord> have,
                                           const std::vector<CompletedPart>& wanted);

}  // namespace aisfs::store
