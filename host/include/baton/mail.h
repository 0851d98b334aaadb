/* mail: what a behaviour does with a message that is in no form it takes.
 *
 *   const baton_mail* mail = host->get_extension(host, BATON_MAIL);   null: it knows no forms
 *
 * A message that waits when its receiver is taken over by another version is converted by the host.
 * One that comes later in the form of the other version, from a process that still runs that or
 * from outside, is asked about here, by its receiver. baton/gen_server.h does so.
 *
 * Rules of growth, threads and memory: as in baton/abi.h.
 */
#ifndef BATON_MAIL_H
#define BATON_MAIL_H

#include <baton/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BATON_MAIL "baton.mail/1"

enum { BATON_UNKNOWN_FORM = -1 };

/* For all of these: a form that the host knows and that yet cannot become one of this version (a
 * hook refuses, a value does not fit) is as one that nobody knows, but the context's error says
 * why; else that has no text. */

typedef struct baton_mail {
  uint32_t struct_size;
  /* Of a call, cast or other message that is being handled: if it is in a form of another version
   * of the module that the host knows, calls the behaviour's handle with the same in a form of this
   * version, and returns its answer; else BATON_UNKNOWN_FORM. */
  int (*handle_other_form)(baton_context*, const baton_message*);
  /* Tells who asked for what is being handled that it is not understood: for him as if this process
   * had ended with that reason. Takes the block: words >= 1, word[0] is set to the ref. */
  void (*refuse)(baton_context*, baton_message* reason);
  /* Since ABI 1.2, for mail that is received. The same message in a form of this version, in a
   * block that passes to the caller; null if there is none. */
  baton_message* (*other_form)(baton_context*, const baton_message*);
  /* As refuse, for a call that was received. */
  void (*refuse_received)(baton_context*, const baton_message* request, baton_message* reason);
} baton_mail;

#ifdef __cplusplus
}
#endif
#endif
