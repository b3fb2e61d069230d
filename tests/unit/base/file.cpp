// Tests of mapping files, of staying beneath a directory, and of atomic writing.
#include "base/file.h"

#include <criterion/criterion.h>
#include <csignal>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/temporary_folder.h"

using namespace intmill;

namespace {

std::string TextOf(const BlobPtr& blob) {
  return {reinterpret_cast<const char*>(blob->bytes().data()), blob->bytes().size()};
}

Status WriteText(const std::string& path, const std::string& text) {
  return WriteFileAtomically(
      path, [&](const Sink& sink) { return sink(std::as_bytes(std::span(text))); });
}

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  cr_assert_eq(stat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

void ExpectRefused(const Result<BlobPtr>& result, const std::string& part) {
  cr_assert_not(result.ok());
  cr_expect_eq(result.status().code(), Code::kIo);
  cr_expect_neq(result.status().message().find(part), std::string::npos, "message: %s",
                result.status().message().c_str());
}

}  // namespace

Test(file, maps_a_regular_file) {
  const TemporaryFolder folder;
  folder.Write("a", "text");
  const Result<BlobPtr> blob = MapFile(folder / "a");
  cr_assert(blob.ok());
  cr_expect_eq(TextOf(*blob), "text");
}

Test(file, maps_an_empty_file_as_no_bytes) {
  const TemporaryFolder folder;
  folder.Write("a", "");
  const Result<BlobPtr> blob = MapFile(folder / "a");
  cr_assert(blob.ok());
  cr_expect((*blob)->bytes().empty());
}

Test(file, names_a_missing_file) {
  const TemporaryFolder folder;
  ExpectRefused(MapFile(folder / "gone"), "gone: cannot be opened: No such file");
}

Test(file, refuses_a_directory) {
  const TemporaryFolder folder;
  ExpectRefused(MapFile(folder.path()), "is not a regular file");
}

Test(file, refuses_a_fifo_without_waiting, .timeout = 10) {
  const TemporaryFolder folder;
  cr_assert_eq(mkfifo((folder / "fifo").c_str(), 0600), 0);
  ExpectRefused(MapFile(folder / "fifo"), "is not a regular file");
}

Test(file, refuses_a_device) { ExpectRefused(MapFile("/dev/zero"), "is not a regular file"); }

Test(file, refuses_a_name_with_a_zero_byte) {
  ExpectRefused(MapFile(std::string("/etc/passwd\0.onnx", 17)), "zero byte");
}

Test(file, a_mapping_survives_replacement_of_the_file) {
  const TemporaryFolder folder;
  folder.Write("a", "old");
  const Result<BlobPtr> blob = MapFile(folder / "a");
  cr_assert(WriteText(folder / "a", "newer").ok());
  cr_expect_eq(TextOf(*blob), "old");
  cr_expect_eq(folder.Read("a"), "newer");
}

Test(beneath, maps_a_file_in_a_folder_beside_the_base) {
  const TemporaryFolder folder;
  mkdir((folder / "weights").c_str(), 0700);
  folder.Write("weights/w.bin", "w");
  const Result<BlobPtr> blob = MapFileBeneath(folder / "model.onnx", "./weights//w.bin");
  cr_assert(blob.ok(), "%s", blob.status().message().c_str());
  cr_expect_eq(TextOf(*blob), "w");
}

Test(beneath, refuses_parent_folders) {
  const TemporaryFolder folder;
  mkdir((folder / "a").c_str(), 0700);
  folder.Write("secret", "s");
  ExpectRefused(MapFileBeneath(folder / "a/model.onnx", "../secret"), "leaves the model's");
  ExpectRefused(MapFileBeneath(folder / "a/model.onnx", "b/../../secret"), "leaves the model's");
}

Test(beneath, refuses_absolute_paths) {
  ExpectRefused(MapFileBeneath("/tmp/model.onnx", "/etc/passwd"), "absolute path");
}

Test(beneath, refuses_backslashes) {
  ExpectRefused(MapFileBeneath("/tmp/model.onnx", "a\\..\\b"), "backslash");
}

Test(beneath, refuses_names_that_are_no_file) {
  const TemporaryFolder folder;
  ExpectRefused(MapFileBeneath(folder / "m", ""), "is empty");
  ExpectRefused(MapFileBeneath(folder / "m", "."), "does not name a file");
  ExpectRefused(MapFileBeneath(folder / "m", "a/"), "does not name a file");
  ExpectRefused(MapFileBeneath(folder / "m", std::string("w\0x", 3)), "zero byte");
}

Test(beneath, refuses_symbolic_links) {
  const TemporaryFolder folder;
  cr_assert_eq(symlink("/etc/passwd", (folder / "link").c_str()), 0);
  cr_assert_eq(symlink("/etc", (folder / "etc").c_str()), 0);
  ExpectRefused(MapFileBeneath(folder / "m", "link"), "symbolic link");
  ExpectRefused(MapFileBeneath(folder / "m", "etc/passwd"), "cannot be opened");
}

Test(beneath, refuses_hard_links) {
  const TemporaryFolder folder;
  folder.Write("a", "a");
  cr_assert_eq(link((folder / "a").c_str(), (folder / "b").c_str()), 0);
  ExpectRefused(MapFileBeneath(folder / "m", "b"), "2 hard links");
}

Test(beneath, refuses_a_fifo, .timeout = 10) {
  const TemporaryFolder folder;
  cr_assert_eq(mkfifo((folder / "fifo").c_str(), 0600), 0);
  ExpectRefused(MapFileBeneath(folder / "m", "fifo"), "is not a regular file");
}

Test(atomic_write, gives_a_new_file_the_mode_of_the_umask) {
  const TemporaryFolder folder;
  umask(027);
  cr_assert(WriteText(folder / "a", "x").ok());
  cr_expect_eq(ModeOf(folder / "a"), 0640);
  cr_expect_eq(folder.Entries(), 1);
}

Test(atomic_write, keeps_the_mode_of_the_old_file) {
  const TemporaryFolder folder;
  folder.Write("a", "old");
  cr_assert_eq(chmod((folder / "a").c_str(), 0604), 0);
  cr_assert(WriteText(folder / "a", "new").ok());
  cr_expect_eq(ModeOf(folder / "a"), 0604);
  cr_expect_eq(folder.Read("a"), "new");
}

Test(atomic_write, replaces_what_a_link_points_to) {
  const TemporaryFolder folder;
  folder.Write("a", "old");
  cr_assert_eq(symlink("a", (folder / "link").c_str()), 0);
  cr_assert(WriteText(folder / "link", "new").ok());
  cr_expect_eq(folder.Read("a"), "new");
  cr_expect(std::filesystem::is_symlink(folder / "link"));
}

Test(atomic_write, leaves_the_old_file_when_the_writer_fails) {
  const TemporaryFolder folder;
  folder.Write("a", "old");
  const Status status = WriteFileAtomically(folder / "a", [](const Sink& sink) -> Status {
    TRY(sink(std::as_bytes(std::span("half"))));
    return Error(Code::kCancelled, "stopped");
  });
  cr_expect_eq(status.code(), Code::kCancelled);
  cr_expect_eq(folder.Read("a"), "old");
  cr_expect_eq(folder.Entries(), 1);
}

Test(atomic_write, refuses_a_folder_and_a_device) {
  const TemporaryFolder folder;
  cr_expect_eq(WriteText(folder.path(), "x").code(), Code::kIo);
  cr_expect_eq(WriteText("/dev/null", "x").code(), Code::kIo);
}

Test(atomic_write, names_a_missing_folder) {
  const TemporaryFolder folder;
  const Status status = WriteText(folder / "no/such", "x");
  cr_expect_eq(status.code(), Code::kIo);
  cr_expect_neq(status.message().find("its directory cannot be opened"), std::string::npos);
}

Test(atomic_write, reports_a_full_disk_and_keeps_the_old_file) {
  // A limit on the file's size stands in for a full disk: the same call fails in the same place.
  const TemporaryFolder folder;
  folder.Write("a", "old");
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {1000, 1000};
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Status status = WriteText(folder / "a", std::string(5000, 'x'));
  cr_expect_eq(status.code(), Code::kIo);
  cr_expect_neq(status.message().find("cannot be written: File too large"), std::string::npos);
  cr_expect_eq(folder.Read("a"), "old");
  cr_expect_eq(folder.Entries(), 1);
}
