#include "session.h"

namespace kv::inline BATON_BUILD {

Session::Progress Session::run(std::string& replies) {
  while (true) {
    switch (parser_.next()) {
      case Parser::Step::kCommand: {
        Request request{state_, connection_, parser_.arguments(), key_, replies, now_ms_, unix_ms_};
        execute(request);
        if (request.is_last) return Progress::kClose;
        if (replies.size() >= kReplyBytesMax) return Progress::kMore;
        break;
      }
      case Parser::Step::kIncomplete: parser_.finish(); return Progress::kDone;
      case Parser::Step::kError: append_error(replies, parser_.error()); return Progress::kClose;
    }
  }
}

}  // namespace kv::inline BATON_BUILD
