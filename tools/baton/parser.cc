// The whole of what baton's command line takes: the global flags and every verb.
#include "base/version.h"
#include "baton/verbs.h"

namespace baton::cli {

void add_everything(CLI::App& app, Session& session) {
  app.description(
      "baton: deploys releases to a running host, upgrades and downgrades it under load, and shows "
      "what goes on inside.");
  app.name("baton");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("baton ") + kVersion);
  app.add_option("--root", session.root, "The host's directory")
      ->envname("BATON_ROOT")
      ->capture_default_str();
  app.add_option("--socket", session.socket, "The host's admin socket (default: ROOT/batond.sock)")
      ->envname("BATON_SOCKET");
  app.add_option("-o,--output-format", session.output.format, "table or json")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Format>{{"table", Format::kTable},
                                                                        {"json", Format::kJson}})
                      .description(""))
      ->type_name("FORMAT");
  add_bundle_verbs(app, session);
  add_release_verbs(app, session);
  add_process_verbs(app, session);
  add_host_verbs(app, session);
  app.footer(
      "Exit codes: 0 done; 1 failed, nothing changed; 2 usage; 3 host not reachable; 4 not found;\n"
      "  5 denied; 6 refused; 7 failed and rolled back; 8 rollback failed; 9 busy; 10 timed out.\n"
      "A first tour: baton key generate mine.key; baton pack release.yaml --modules DIR --key "
      "mine.key;\n"
      "  baton key trust mine.key.pub; baton upgrade NAME-VERSION.baton; baton status\n"
      "More about a verb, with examples: baton VERB --help");
}

}  // namespace baton::cli
