// baton: the command line. Finds the verb, runs it, and turns its outcome into an exit code.
#include "baton/verbs.h"

int main(int argc, char** argv) {
  CLI::App app;
  const auto files = baton::real_files();
  baton::cli::Session session(*files);
  baton::cli::add_everything(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : baton::exit_code(baton::Code::kUsage);
  }
  try {
    return session.run();
  } catch (const std::exception& error) {
    // What an answer lacks that a verb wants to show: both are JSON, of different versions.
    return session.output.error(baton::Error(
        baton::Code::kFailed,
        std::string(
            "the host's answer has another form than expected; is it of another version? (") +
            error.what() + ")"));
  }
}
