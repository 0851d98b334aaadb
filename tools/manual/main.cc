// manual: writes baton.1 and batond.8 into a directory, as part of the build.
#include "base/files.h"
#include "baton/verbs.h"
#include "manual/page.h"
#include "node/options.h"

#include <cstdio>

namespace {

using namespace baton;

constexpr std::uint32_t kPageMode = 0644;

// The table of exit statuses, of both programs.
const manual::PageText::Entries kStatuses{
    {"0", "Done, or already so."},
    {"1", "Failed, and nothing changed."},
    {"2", "Wrong usage, of the command line or in a file that was given."},
    {"3", "The host is not running or cannot be reached."},
    {"4", "There is no such release, module, process or file."},
    {"5", "Permission denied."},
    {"6", "A bundle, a module or the loss of data was refused."},
    {"7", "Failed and rolled back: the release before serves."},
    {"8", "The rollback failed: a human is needed."},
    {"9", "Another operation is under way, and is named."},
    {"10",
     "Time ran out: of a wait, whose operation goes on; or of a take-over, which was given up. The "
     "text says which."},
};

// The keys of batond.yaml, those of a mapping behind its name and a dot.
const manual::PageText::Entries kConfiguration{
    {"format",
     "The format of this file (default: 1, this one). Of a newer one nothing is read: it is "
     "refused "
     "by name."},
    {"root", "The directory of everything the host keeps on disk (default: /var/lib/baton)."},
    {"schedulers",
     "Threads that run processes (default: 0, which is one for each "
     "processor that its affinity and its control group's quota leave it)."},
    {"log.level", "trace, debug, info, warning, error or critical (default: info)."},
    {"log.format", "text or json (default: text)."},
    {"log.file", "Where the log is written (default: empty, which is standard error)."},
    {"admin.socket", "The path of the admin socket (default: empty, which is ROOT/batond.sock)."},
    {"callbacks.long_schedule",
     "A callback that takes longer is reported, with process, module, version and message "
     "(default: "
     "20ms)."},
    {"callbacks.stuck_after",
     "One that has not returned by then loses its scheduler: other processes, timers and "
     "connections "
     "go on without it (default: 100ms)."},
    {"callbacks.kill_after",
     "A process that is killed, or meets an exit signal, is dead to all by then even if its "
     "callback "
     "has not returned (default: 1s)."},
    {"callbacks.abandoned_max",
     "With so many callbacks of dead processes still running, a version that has some starts no "
     "processes any more (default: 8; two of one version do the same)."},
    {"channels",
     "A list of the channels whose bundles are taken, such as [stable] (default: none named, which "
     "takes those of any)."},
    {"net.memory_max",
     "What all connections together may hold in memory, such as 512MiB (default: 0, which is a "
     "quarter of the memory that the host may use)."},
    {"stop_timeout",
     "A host that was told to stop ends after this, whatever its modules do (default: 10s)."},
    {"take_over.budget",
     "How long a take-over may take to drain, prepare and commit before it is given up and the old "
     "release serves on (default: 5s)."},
};

// What bounds a host and no key changes.
const manual::PageText::Entries kLimits{
    {"send_queue_bytes_max",
     "32 MiB: what a client may leave unread. A connection that holds this much to send and is "
     "given more is closed (send_queue_full)."},
};

Result<void> write_pages(const std::string& directory) {
  const auto files = real_files();
  {
    CLI::App app;
    cli::Session session(*files);
    cli::add_everything(app, session);
    manual::PageText text;
    text.section = "1";
    text.summary = "deploy, upgrade and inspect the releases of a running host";
    text.sections = {{"EXIT STATUS", kStatuses}};
    text.see_also = "batond(8)";
    BATON_TRY(
        write_file_atomically(*files, directory + "/baton.1", manual::page(app, text), kPageMode));
  }
  CLI::App app;
  node::Options options;
  node::add_options(app, options);
  manual::PageText text;
  text.section = "8";
  text.summary = "host for service modules that are upgraded while they run";
  text.sections = {
      {"SIGNALS", {{"SIGTERM, SIGINT", "Stop the applications in order and end."}}},
      {"FILES",
       {{node::kDefaultConfig,
         "The configuration, in YAML. Every key has a default; check it with baton config check."},
        {"ROOT/batond.sock", "The admin interface, which baton speaks to."},
        {"ROOT/crashes/",
         "What the host was doing when a signal ended it, a file each; see baton crash list."},
        {"ROOT/keys/", "The public keys that bundles may be signed with; see baton key trust."},
        {"ROOT/releases/", "The manifests and signatures of the unpacked releases."},
        {"ROOT/store/", "The files of their modules, by content."},
        {"ROOT/journal", "What became of each release, and why."}}},
      {"CONFIGURATION", kConfiguration},
      {"LIMITS", kLimits},
      {"EXIT STATUS", kStatuses}};
  text.see_also = "baton(1)";
  return write_file_atomically(*files, directory + "/batond.8", manual::page(app, text), kPageMode);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return exit_code(Code::kUsage);
  }
  const auto written = write_pages(argv[1]);
  if (written.ok()) return 0;
  std::fprintf(stderr, "manual: %s\n", written.error().message().c_str());
  return exit_code(written.error().code());
}
