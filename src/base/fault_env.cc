// SPDX-License-Identifier: Apache-2.0
#include "base/fault_env.h"

#include <utility>

namespace flair {
namespace {

class FaultFile final : public WritableFile {
 public:
  FaultFile(FaultEnv& env, std::unique_ptr<WritableFile> real)
      : env_(env), real_(std::move(real)) {}
  Status Append(ByteView data) override {
    if (Status step = env_.Step("append"); !step.ok()) {
      (void)real_->Append(data.first(data.size() / 2));
      return step;
    }
    return real_->Append(data);
  }
  Status Sync() override {
    FLAIR_DO(env_.Step("sync"));
    return real_->Sync();
  }
  Status Close() override {
    FLAIR_DO(env_.Step("close"));
    return real_->Close();
  }

 private:
  FaultEnv& env_;
  std::unique_ptr<WritableFile> real_;
};

}  // namespace

void FaultEnv::FailAt(std::uint64_t kth, FaultSpan span, ErrorCode code) {
  operations_ = 0;
  code_ = code;
  last_failing_ = span == FaultSpan::kOnce ? kth : kNever;
  first_failing_ = kth;
}

void FaultEnv::Heal() { first_failing_ = kNever; }

Status FaultEnv::Step(const char* operation) {
  const std::uint64_t index = ++operations_;
  if (index < first_failing_ || index > last_failing_) return OkStatus();
  return Error(code_,
               "injected fault in operation " + std::to_string(index) + " (" + operation + ")");
}

Result<std::unique_ptr<ByteSource>> FaultEnv::OpenForRead(const std::string& path) {
  return real_.OpenForRead(path);
}
Result<std::unique_ptr<WritableFile>> FaultEnv::OpenForWrite(const std::string& path,
                                                             WriteMode mode) {
  FLAIR_DO(Step("open"));
  FLAIR_TRY(auto file, real_.OpenForWrite(path, mode));
  return std::unique_ptr<WritableFile>(std::make_unique<FaultFile>(*this, std::move(file)));
}
Status FaultEnv::Rename(const std::string& from, const std::string& to) {
  FLAIR_DO(Step("rename"));
  return real_.Rename(from, to);
}
Status FaultEnv::RemoveFile(const std::string& path) {
  FLAIR_DO(Step("remove file"));
  return real_.RemoveFile(path);
}
Status FaultEnv::RemoveDir(const std::string& path) {
  FLAIR_DO(Step("remove folder"));
  return real_.RemoveDir(path);
}
Status FaultEnv::MakeDir(const std::string& path) {
  FLAIR_DO(Step("make folder"));
  return real_.MakeDir(path);
}
Status FaultEnv::SyncDir(const std::string& path) {
  FLAIR_DO(Step("sync folder"));
  return real_.SyncDir(path);
}
Status FaultEnv::SetExecutable(const std::string& path, bool executable) {
  FLAIR_DO(Step("set executable"));
  return real_.SetExecutable(path, executable);
}
Result<std::vector<std::string>> FaultEnv::ListDir(const std::string& path) {
  return real_.ListDir(path);
}
Result<FileInfo> FaultEnv::Stat(const std::string& path) { return real_.Stat(path); }
Result<std::unique_ptr<FileLock>> FaultEnv::Lock(const std::string& path) {
  return real_.Lock(path);
}
Result<std::uint64_t> FaultEnv::FreeSpaceBytes(const std::string& path) {
  if (free_space_) return *free_space_;
  return real_.FreeSpaceBytes(path);
}

}  // namespace flair
