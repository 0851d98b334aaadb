/* plain_c: a gen_server in C11 with nothing but abi.h, to prove that the boundary is C.
 *
 *   call get         the total
 *   call {add, N}    adds a small integer and replies the new total
 *   cast stop        ends normally
 *   anything else    a call ends the process, other messages are ignored
 */
#include "version.h"

#include <baton/abi.h>

#include <string.h>

#define ATOM(TEXT) baton_atom(TEXT, sizeof(TEXT) - 1)
#define QUOTE(TEXT) QUOTE_EXPANDED(TEXT)
#define QUOTE_EXPANDED(TEXT) #TEXT

typedef struct state {
  int64_t total;
} state;

/* FNV-1a of "c;i64" and of "c;{total:i64@0;8}0": what the schema's types and fingerprint are hashes
 * over. */
#define TYPE_I64 0xda49a7ff291e5facu
#define FINGERPRINT 0x788338f229a0a457u

BATON_NOTE(
    "baton-note 1\n"
    "module plain_c\n"
    "version " PLAIN_C_VERSION "\n"
    "abi 1.2\n"
    "build " QUOTE(BATON_BUILD) "\n"
    "atoms get add stop\n"
    "behaviour plain_c gen_server\n"
    "schema state 788338f229a0a457 8 8 0 c\n"
    "field total da49a7ff291e5fac 0 8 5 0 i64\n"
    "call get {} -> i64\n"
    "call add {n:i64;} -> i64\n"
    "cast stop {}\n");

static int construct(void* raw, baton_error* error) {
  (void)error;
  ((state*)raw)->total = 0;
  return 0;
}

static void destroy(void* live) { (void)live; }

static void move_total(void* to, void* from) { memcpy(to, from, sizeof(int64_t)); }

static int total_is_default(const void* live, const void* defaults) {
  return ((const state*)live)->total == ((const state*)defaults)->total;
}

static baton_term integer(int64_t value) { return (baton_term)value << 3 | BATON_TAG_INT; }

/* #{total => N} */
static baton_message* to_term(baton_context* context, const void* live) {
  baton_message* message = context->host->alloc(context, 3);
  if (message == NULL) return NULL;
  message->word[0] = (baton_term)1 << 8 | BATON_KIND_MAP << 3 | BATON_TAG_HEADER;
  message->word[1] = ATOM("total");
  message->word[2] = integer(((const state*)live)->total);
  message->root = (baton_term)(uintptr_t)message->word;
  return message;
}

static const baton_field fields[] = {
    {"total", "i64", TYPE_I64, offsetof(state, total), sizeof(int64_t), _Alignof(int64_t),
     BATON_SCALAR_I64, 0, NULL, move_total, total_is_default},
};

static const baton_schema schema = {
    sizeof(baton_schema),
    sizeof(baton_field),
    1,
    sizeof(state),
    _Alignof(state),
    0,
    "state",
    FINGERPRINT,
    fields,
    NULL,
    construct,
    destroy,
    NULL,
    NULL,
    NULL,
    NULL,
    to_term,
};

static int crash(baton_context* context, const char* text) {
  size_t size = strlen(text);
  if (context->error.capacity > size) {
    memcpy(context->error.text, text, size + 1);
    context->error.length = (uint32_t)size;
  }
  return BATON_CRASH;
}

static int reply_total(baton_context* context, const state* server) {
  baton_message* message = context->host->alloc(context, 1);
  if (message == NULL) return crash(context, "plain_c: no memory for the reply");
  message->root = integer(server->total);
  context->host->reply(context, context->caller, context->call_ref, message);
  return BATON_OK;
}

static int init(baton_context* context, void* state, const baton_message* args) {
  (void)context, (void)state, (void)args;
  return BATON_OK;
}

static int handle(baton_context* context, void* live, const baton_message* message) {
  state* server = live;
  if (message == NULL) return BATON_OK;
  if (message->kind == BATON_CAST && message->root == ATOM("stop")) return BATON_STOP;
  if (message->kind != BATON_CALL) return BATON_OK;
  if (message->root == ATOM("get")) return reply_total(context, server);

  const baton_term pair = (baton_term)2 << 8 | BATON_KIND_TUPLE << 3 | BATON_TAG_HEADER;
  const baton_term* tuple = (const baton_term*)(uintptr_t)message->root;
  const int is_tuple =
      (message->root & 7) == BATON_TAG_BOXED && message->root != BATON_NO_TERM && tuple[0] == pair;
  if (is_tuple && tuple[1] == ATOM("add") && (tuple[2] & 7) == BATON_TAG_INT) {
    /* Unsigned, so that it wraps instead of overflowing. */
    server->total = (int64_t)((uint64_t)server->total + (uint64_t)((int64_t)tuple[2] >> 3));
    return reply_total(context, server);
  }
  return crash(context, "plain_c: expected get or {add, N}");
}

static const baton_behaviour behaviours[] = {
    {"plain_c", BATON_GEN_SERVER, 0, &schema, init, handle, NULL, NULL, NULL, 0, 0, NULL},
};

static const baton_module module = {
    sizeof(baton_module),
    BATON_ABI_MAJOR,
    BATON_ABI_MINOR,
    "plain_c",
    PLAIN_C_VERSION,
    QUOTE(BATON_BUILD),
    1,
    sizeof(baton_behaviour),
    behaviours,
    PLAIN_C_INIT,
    PLAIN_C_FINI,
};

__attribute__((visibility("default"))) const baton_module* baton_module_entry(void) {
  return &module;
}
