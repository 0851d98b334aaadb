/* Interval: messages that come again and again, an optional ability of the host in C.
 *
 *   const baton_interval* interval = host->get_extension(host, BATON_INTERVAL);   null: it has none
 *
 * In C++ it is Self::send_interval.
 *
 * Threads: in a callback.
 */
#ifndef BATON_INTERVAL_H_
#define BATON_INTERVAL_H_

#include <baton/abi.h>

#define BATON_INTERVAL "baton.interval/1"

typedef struct baton_interval {
  uint32_t struct_size;
  /* Sends the message, as send_after does, first after one period and then after each, until
   * cancel_timer is given its ref or its receiver has ended: a name is whoever has it now. What a
   * busy scheduler misses is left out. The message needs a word. 0, nothing sent: the period is
   * none, or longer than a hundred years. */
  baton_term (*send_interval)(baton_context*, uint64_t milliseconds, baton_term to, baton_message*);
} baton_interval;

#endif
