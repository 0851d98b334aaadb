/* good: a counter as a gen_server in plain C, by nothing but baton/abi.h. It proves that the
 * boundary needs no C++, and is what the gate and the loader accept; built as several versions. Any
 * call adds one and is answered by the sum.
 */
#include <baton/abi.h>

#ifndef GOOD_VERSION
#define GOOD_VERSION "1.0.0"
#endif

typedef struct counter_state {
  int64_t value;
} counter_state;

static void move_value(void* to, void* from) { *(int64_t*)to = *(int64_t*)from; }
static int value_is_default(const void* state, const void* defaults) {
  return ((const counter_state*)state)->value == ((const counter_state*)defaults)->value;
}
static int construct(void* raw, baton_error* error) {
  (void)error;
  ((counter_state*)raw)->value = 0;
  return 0;
}
static void destroy(void* live) { (void)live; }

static const baton_field fields[] = {
    {"value", "i64", 0x0102030405060708, offsetof(counter_state, value), sizeof(int64_t),
     _Alignof(int64_t), BATON_SCALAR_I64, 0, NULL, move_value, value_is_default}};
static const baton_schema schema = {sizeof(baton_schema),
                                    sizeof(baton_field),
                                    1,
                                    sizeof(counter_state),
                                    _Alignof(counter_state),
                                    0,
                                    "counter_state",
                                    0x1122334455667788,
                                    fields,
                                    NULL,
                                    construct,
                                    destroy,
                                    NULL,
                                    NULL,
                                    NULL,
                                    NULL,
                                    NULL};

static int init(baton_context* context, void* state, const baton_message* args) {
  (void)context, (void)state, (void)args;
  return BATON_OK;
}

static int handle(baton_context* context, void* state, const baton_message* message) {
  counter_state* counter = state;
  if (message->kind != BATON_CALL) return BATON_OK;
  counter->value++;
  baton_message* answer = context->host->alloc(context, 1);
  answer->root = (baton_term)counter->value << 3 | BATON_TAG_INT;
  context->host->reply(context, context->caller, context->call_ref, answer);
  return BATON_OK;
}

#ifdef GOOD_HOOKS_OF
static baton_message* change(baton_context* context, const baton_form* from, const baton_form* to,
                             baton_error* error) {
  (void)context, (void)from, (void)to, (void)error;
  return NULL;
}
static const baton_message_hooks hooks[] = {{GOOD_HOOKS_OF, 0, change, NULL}};
#define GOOD_HOOKS 1, sizeof(baton_message_hooks), hooks
#else
#define GOOD_HOOKS 0, 0, NULL
#endif
#ifndef GOOD_FLAGS
#define GOOD_FLAGS 0
#endif
static const baton_behaviour behaviours[] = {
    {"counter", BATON_GEN_SERVER, GOOD_FLAGS, &schema, init, handle, NULL, NULL, NULL, GOOD_HOOKS}};

#ifdef GOOD_INIT_FAILS
static int start(const baton_host* host, baton_error* error) {
  static const char text[] = "the counter does not want to start";
  (void)host;
  for (error->length = 0; error->length + 1 < error->capacity && text[error->length] != 0;
       ++error->length)
    error->text[error->length] = text[error->length];
  error->text[error->length] = 0;
  return -1;
}
#else
static int start(const baton_host* host, baton_error* error) {
  (void)error;
  return host->struct_size >= sizeof(uint32_t) ? 0 : -1;
}
#endif
static void stop(void) {}

#ifndef GOOD_DESCRIBED_VERSION
#define GOOD_DESCRIBED_VERSION GOOD_VERSION
#endif
static const baton_module description = {sizeof(baton_module),
                                         BATON_ABI_MAJOR,
                                         BATON_ABI_MINOR,
                                         "counter",
                                         GOOD_DESCRIBED_VERSION,
                                         "good",
                                         1,
                                         sizeof(baton_behaviour),
                                         behaviours,
                                         start,
                                         stop};

__attribute__((visibility("default"))) const baton_module* baton_module_entry(void) {
  return &description;
}

#ifndef GOOD_NOTED_HOOKS
#define GOOD_NOTED_HOOKS ""
#endif
#ifndef GOOD_FINGERPRINT
#define GOOD_FINGERPRINT "1122334455667788"
#endif
BATON_NOTE(
    "baton-note 1\n"
    "module counter\n"
    "version " GOOD_VERSION
    "\n"
    "abi 1.2\n"
    "build good\n"
    "behaviour counter gen_server\n"
    "schema counter_state " GOOD_FINGERPRINT
    " 8 8 0 none\n"
    "field value 0102030405060708 0 8 5 0 i64\n"
    "call increment {} -> i64\n" GOOD_NOTED_HOOKS);
