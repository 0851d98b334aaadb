/* abi: the C boundary between the host and a module. All that crosses it is declared here.
 *
 * A module is one shared library that exports one function, baton_module_entry, which returns a
 * constant description of it. The host answers with a table of functions that every context points
 * to. Nothing typed by C++ crosses: no exception, no object with a vtable, no standard library
 * type. State objects are the module's own; the host only moves them about by the functions of
 * their schema.
 *
 * Rules of growth: structs and tables begin with their size and only ever get new members at the
 * end; arrays travel with their stride. A module's ABI major must be the host's and its minor no
 * higher. Optional abilities are asked for by name and version (get_extension); null is an answer.
 *
 * Threads: a function that takes a baton_context may be called only inside the callback that was
 * given that context, on the same thread. The others say so where they are declared.
 * Memory: whoever is named in the comment of a function owns what passes; all else is borrowed for
 * the call.
 *
 * C11 and C++20. No writable global is needed to use it, and none is allowed in a module.
 */
#ifndef BATON_ABI_H
#define BATON_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __clang__ /* it does not heed __extension__ before a flexible array */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif

/* A member that came later than its struct: a table that does not name it is still whole. */
#ifdef __cplusplus
#define BATON_UNLESS_SAID = 0
#else
#define BATON_UNLESS_SAID
#endif

enum { BATON_ABI_MAJOR = 1, BATON_ABI_MINOR = 2 };

/* ---- Terms -------------------------------------------------------------------------------------
 * A term is one word. Its low three bits say what the rest is; what does not fit points into the
 * block (a message) that owns it, and lives exactly as long as that block.
 *
 *   tag        rest of the word
 *   BOXED   0  address of a header word, 8-aligned; the word 0 is "no term"
 *   INT     1  61-bit signed integer
 *   ATOM    2  upper 61 bits of the FNV-1a hash of the atom's text: the same in every module,
 *              version and node, so that an atom is a compile-time constant and needs no table
 *   PID     3  generation:32, index:29 of a process of this node
 *   REF     4  counter:52, maker:9
 *   HEADER  5  only inside blocks, see below
 *   LIST    6  address of two words, head and tail (the list's cell)
 *   SPECIAL 7  bits 3-7 say which: 0 nil, the empty list; 1 port: generation:32, index:24, from
 *              bit 8
 *
 * A header word is  size << 8 | kind << 3 | HEADER  and the words that follow it are
 *   TUPLE     0  size terms
 *   FLOAT     1  one word, an IEEE double (size 1)
 *   POSITIVE  2  size limbs of 64 bits, least significant first: an integer that does not fit INT
 *   NEGATIVE  3  the same, its value negated
 *   BINARY    4  size bytes, padded to a word
 *   SHARED    5  size bytes elsewhere: word 1 is a baton_binary*, word 2 the next SHARED header of
 *                this block (address or 0), so that freeing the block can release them
 *   MAP       6  size pairs, key then value, keys distinct, in no particular order
 *   EXTERNAL  7  size bytes of external term format, opaque: a remote pid, reference, port or a fun
 */
typedef uint64_t baton_term;

enum {
  BATON_TAG_BOXED = 0,
  BATON_TAG_INT = 1,
  BATON_TAG_ATOM = 2,
  BATON_TAG_PID = 3,
  BATON_TAG_REF = 4,
  BATON_TAG_HEADER = 5,
  BATON_TAG_LIST = 6,
  BATON_TAG_SPECIAL = 7
};
enum {
  BATON_KIND_TUPLE = 0,
  BATON_KIND_FLOAT = 1,
  BATON_KIND_POSITIVE = 2,
  BATON_KIND_NEGATIVE = 3,
  BATON_KIND_BINARY = 4,
  BATON_KIND_SHARED = 5,
  BATON_KIND_MAP = 6,
  BATON_KIND_EXTERNAL = 7
};
#define BATON_NO_TERM ((baton_term)0)
#define BATON_NIL ((baton_term)7)
#define BATON_INT_MAX ((int64_t)0x0fffffffffffffff)
#define BATON_INT_MIN (-BATON_INT_MAX - 1)

/* Bytes shared by several messages, made by binary_new; `bytes` may be written only by the maker,
 * before its first send. */
typedef struct baton_binary {
  uint64_t references; /* the host's; changed atomically */
  uint64_t size;
  __extension__ unsigned char bytes[];
} baton_binary;

/* ---- Messages ----------------------------------------------------------------------------------
 * One contiguous block, immutable once sent: a header of 32 bytes, then `words` words that `root`
 * may point into. Sending passes the block on. A message given to a callback is borrowed until the
 * callback returns.
 */
typedef struct baton_message {
  struct baton_message* next; /* the host's */
  uint8_t kind;               /* BATON_MESSAGE ...; alloc sets BATON_MESSAGE */
  uint8_t pool;               /* the host's */
  uint16_t flags;             /* BATON_MESSAGE_HAS_SHARED, else the host's */
  uint32_t words;
  baton_term from; /* the sender */
  baton_term root;
  __extension__ baton_term word[]; /* `words` of them */
} baton_message;

/* word[words - 1] is the address of the first SHARED header. */
enum { BATON_MESSAGE_HAS_SHARED = 1 };

/* The kinds that reach a module, and what stands in word[0] of each (root never points at it). */
enum {
  BATON_MESSAGE = 0, /* send; word[0] is free for use */
  BATON_CALL = 1,    /* gen_server:call: word[0] the request's ref, root the request */
  BATON_CAST = 2,    /* gen_server:cast; word[0] is free */
  BATON_REPLY = 3,   /* word[0] the request's ref, root the reply */
  BATON_DOWN = 4, /* word[0] the monitor's or request's ref, root the exit reason, from the dead */
  BATON_EXIT = 5, /* trapped exit signal: root the exit reason, from the dead pid */
  BATON_TIMEOUT = 6, /* word[0] the timer's ref, root what send_after was given */
  BATON_SPAWN = 7    /* the arguments that init receives */
};

/* ---- What a callback returns ---------------------------------------------------------------- */
enum {
  BATON_OK = 0,
  BATON_STOP = 1,  /* end this process; the reason is what exit_reason was given, else normal */
  BATON_YIELD = 2, /* call handle again, with a null message, after others have had their turn */
  BATON_AWAIT = 3, /* context->frame waits for mail: call resume when there is any */
  BATON_CRASH = 4  /* end this process by {error, Text} with the text in context->error */
};

/* The host's memory for one line of text: at most `capacity` bytes with the final zero, `length`
 * without. */
typedef struct baton_error {
  uint32_t capacity;
  uint32_t length;
  char* text;
} baton_error;

struct baton_host;
struct baton_context;

/* ---- State schemas -----------------------------------------------------------------------------
 * Describe a state object so that another version can take it over field by field. Types are
 * compared by `type`, a hash over their full structure and the standard library's ABI. All tables
 * are constant.
 *
 * A take-over, in this order: the new object is made by construct; fields that both versions have,
 * of scalar type, are copied or converted; change (up) or revert (down) completes it. All of that
 * leaves the old object as it was. At commit the other fields of equal name and type are moved;
 * that cannot fail. So change and revert see default values in the fields that commit will fill,
 * and read them in the old object.
 */
enum {
  BATON_SCALAR_NONE = 0,
  BATON_SCALAR_BOOL,
  BATON_SCALAR_I8,
  BATON_SCALAR_I16,
  BATON_SCALAR_I32,
  BATON_SCALAR_I64,
  BATON_SCALAR_U8,
  BATON_SCALAR_U16,
  BATON_SCALAR_U32,
  BATON_SCALAR_U64,
  BATON_SCALAR_F32,
  BATON_SCALAR_F64
};
enum { BATON_FIELD_DISPOSABLE = 1 /* losing it on the way down is no loss: a cache, a counter */ };

typedef struct baton_field {
  const char* name;
  const char* type_name;
  uint64_t type;
  uint32_t offset;
  uint32_t size;
  uint16_t align;
  uint8_t scalar;           /* BATON_SCALAR_*; an enum has its underlying type's */
  uint8_t flags;            /* BATON_FIELD_* */
  const char* renamed_from; /* this field's name in older versions, or null */
  /* Assigns one live field to another; cannot fail; both stay live. */
  void (*move)(void* to, void* from);
  /* Is the field equal in these two whole states? */
  int (*is_default)(const void* state, const void* defaults);
} baton_field;

struct baton_schema;
/* A state object of another version: its description and where it lies. */
typedef struct baton_view {
  const struct baton_schema* schema;
  void* base;
} baton_view;

typedef struct baton_schema {
  uint32_t struct_size;
  uint32_t field_stride;
  uint32_t field_count;
  uint32_t size;     /* of the state object, in bytes */
  uint32_t align;    /* at most 16 */
  uint32_t revision; /* the author's; part of the fingerprint */
  const char* name;
  uint64_t fingerprint; /* equal: the object may be adopted where it lies */
  const baton_field* fields;
  const char* const* dropped; /* older fields given up on purpose; ended by null; may be null */
  /* Makes a state with its defaults in raw memory. 0; or not 0, nothing made and the
   * error's text set. */
  int (*construct)(void* raw, baton_error*);
  void (*destroy)(void* live);
  /* These live in the newer module of the two. Null where there is nothing to do. 0 is success.
   * They run on any thread, without a context. */
  int (*change)(void* newer, const baton_view* older, const char* older_version, baton_error*);
  int (*revert)(const void* newer, const baton_view* older, const char* older_version,
                baton_error*);
  /* How many things of value going down to that version would lose; what they are, in the error's
   * text. UINT64_MAX: it cannot tell, and the text says why; then going down fails, unless any loss
   * is accepted. */
  uint64_t (*loss)(const void* newer, const char* older_version, baton_error*);
  /* Gives those things up, where their loss was accepted: after revert, just before the commit. A
   * going down that is given up in between, as another one's discard does not return, has lost them
   * all the same. Cannot fail. */
  void (*discard)(void* newer, const char* older_version);
  /* The state as a term, in a block that passes to the caller. Null on failure. */
  baton_message* (*to_term)(struct baton_context*, const void* state);
} baton_schema;

/* ---- Message hooks (since ABI 1.2) -------------------------------------------------------------
 * What turns a message of an older form into one of this version and back, where more is to be done
 * than the note can say: as change and revert do for states, they live in the newer module of the
 * two. They are called for mail that waits when its receiver is taken over, on any thread, and for
 * mail that comes later in the other version's form, by its receiver.
 */

/* A message by its members' names. */
typedef struct baton_form {
  uint32_t struct_size;
  uint32_t member_count;
  const char* name;          /* of the message */
  const char* version;       /* whose form it is */
  const char* const* names;  /* of the members, in their order */
  const baton_term* members; /* 0: not known, so it is for the hook to say */
} baton_form;

/* `from` is the message as it was sent, all members known. `to` is the form wanted: what the note
 * says of it is done already (members of the same name, converted, and defaults). Answers a block
 * that passes to the caller, whose root is the whole message in the form wanted and does not reach
 * word[0]; or null, with the error's text set. In the context only alloc and free may be called,
 * and what may be called on any thread. */
typedef baton_message* (*baton_message_hook)(struct baton_context*, const baton_form* from,
                                             const baton_form* to, baton_error*);

typedef struct baton_message_hooks {
  uint32_t message; /* which of the behaviour's call, cast and info lines in the note, from 0 */
  uint32_t flags;   /* 0 */
  baton_message_hook change; /* from an older form to this one; may be null */
  baton_message_hook revert; /* from this form to an older one; may be null */
} baton_message_hooks;

/* ---- Behaviours ----------------------------------------------------------------------------- */
enum {
  BATON_PROCESS = 0, /* a coroutine process: no state object, its frame is its state */
  BATON_GEN_SERVER = 1
};

typedef struct baton_behaviour {
  const char* name;
  uint32_t kind;
  uint32_t flags;            /* 0 */
  const baton_schema* state; /* null for BATON_PROCESS */
  /* The first callback: `state` was just constructed. A BATON_PROCESS makes its frame here, sets
   * context->frame and returns BATON_AWAIT (or BATON_STOP when it has run to its end already). */
  int (*init)(struct baton_context*, void* state, const baton_message* args);
  int (*handle)(struct baton_context*, void* state, const baton_message*);
  /* Goes on with a frame after BATON_AWAIT. When it returns something else the frame is gone. */
  int (*resume)(struct baton_context*, void* state, void* frame);
  void (*destroy_frame)(struct baton_context*, void* frame);
  /* It stopped, crashed, or traps its parent's exit, for this reason (its root). May be null. */
  void (*terminate)(struct baton_context*, void* state, const baton_message* reason);
  /* Since ABI 1.2: of those messages that have hooks. */
  uint32_t hook_count BATON_UNLESS_SAID;
  uint32_t hook_stride BATON_UNLESS_SAID;
  const baton_message_hooks* hooks BATON_UNLESS_SAID;
} baton_behaviour;

/* ---- The module ----------------------------------------------------------------------------- */
typedef struct baton_module {
  uint32_t struct_size;
  uint16_t abi_major;
  uint16_t abi_minor;
  const char* name;
  const char* version;
  const char* build; /* a tag over its sources */
  uint32_t behaviour_count;
  uint32_t behaviour_stride;
  const baton_behaviour* behaviours;
  /* After loading and before unloading, on a thread of the host's and in no process; either may be
   * null; 0 is success. */
  int (*init)(const struct baton_host*, baton_error*);
  void (*fini)(void);
} baton_module;

/* The one exported symbol. */
const baton_module* baton_module_entry(void);

/* ---- The context and the host's table ------------------------------------------------------- */
/* What a callback runs in. The host's own members follow; a module sees only these. */
typedef struct baton_context {
  const struct baton_host* host;
  baton_term self;
  baton_term caller; /* in handle of a BATON_CALL: who asks */
  /* And the request's ref; reply clears it. If it is still set when the callback returns, the host
   * takes it that the reply comes later, and tells the caller if this process ends without one. */
  baton_term call_ref;
  void* frame;         /* set with BATON_AWAIT; given back to resume */
  uint64_t reductions; /* long callbacks may add to it; the host does not look at it so far */
  baton_error error;   /* for BATON_CRASH */
} baton_context;

typedef int (*baton_match)(void* environment, const baton_message*);

enum { BATON_SPAWN_LINK = 1, BATON_SPAWN_MONITOR = 2 };
typedef struct baton_spawn_options {
  uint32_t struct_size;
  uint32_t flags;
  baton_term name;    /* an atom to register the process under before init, or 0 */
  baton_term monitor; /* out: the monitor's ref */
} baton_spawn_options;

enum {
  BATON_LOG_TRACE,
  BATON_LOG_DEBUG,
  BATON_LOG_INFO,
  BATON_LOG_WARNING,
  BATON_LOG_ERROR,
  BATON_LOG_CRITICAL
};

typedef struct baton_host {
  uint32_t struct_size;
  uint16_t abi_major;
  uint16_t abi_minor;

  /* Messages. alloc gives a block owned by the caller until it is sent or freed; from is set to
   * self, root to nothing. send, call and cast take the block, also when the receiver is dead. */
  baton_message* (*alloc)(baton_context*, uint32_t words);
  void (*free)(baton_context*, baton_message*);
  void (*send)(baton_context*, baton_term to, baton_message*);
  void (*cast)(baton_context*, baton_term to, baton_message*);
  /* Requires: words >= 1 and root does not reach word[0], where the ref returned is put. The answer
   * is a BATON_REPLY or BATON_DOWN with that ref in word[0]. */
  baton_term (*call)(baton_context*, baton_term to, baton_message*);
  /* Answers a request: words >= 1, word[0] is set to the ref. */
  void (*reply)(baton_context*, baton_term caller, baton_term ref, baton_message*);

  /* Receiving inside a frame. A message received is the caller's to free; null: nothing fits yet,
   * so return BATON_AWAIT. Messages passed over stay in order. */
  baton_message* (*receive)(baton_context*);
  baton_message* (*receive_match)(baton_context*, baton_match, void* environment);
  /* The BATON_REPLY, BATON_DOWN or BATON_TIMEOUT with this ref; does not look at older mail. */
  baton_message* (*receive_ref)(baton_context*, baton_term ref);
  /* With the next BATON_AWAIT: resume at this time (now's clock) at the latest; 0 is never. */
  void (*await_until)(baton_context*, uint64_t deadline_ns);

  /* Processes. `to` and `pid` may also be the atom of a registered name where one is sent to. */
  baton_term (*spawn)(baton_context*, const baton_behaviour*, baton_message* args,
                      baton_spawn_options*);
  void (*exit_reason)(baton_context*, baton_message* reason); /* for BATON_STOP; takes the block */
  /* Sends an exit signal; takes the block. */
  void (*exit)(baton_context*, baton_term pid, baton_message* reason);
  void (*link)(baton_context*, baton_term pid);
  void (*unlink)(baton_context*, baton_term pid);
  baton_term (*monitor)(baton_context*, baton_term pid);
  /* Forgets a monitor or a request: nothing with this ref arrives after it, what has arrived is
   * dropped. */
  void (*demonitor)(baton_context*, baton_term ref);
  void (*trap_exit)(baton_context*, int on);
  /* 0; or -1: the name is taken, the process dead, or the name no atom. */
  int (*register_name)(baton_context*, baton_term name, baton_term pid);
  int (*unregister_name)(baton_context*, baton_term name);
  baton_term (*whereis)(baton_context*, baton_term name); /* a pid or 0 */
  baton_term (*make_ref)(baton_context*);

  /* Time. now_ns: monotonic, any thread. send_after: 0, nothing sent, after a hundred years. */
  uint64_t (*now_ns)(void);
  baton_term (*send_after)(baton_context*, uint64_t milliseconds, baton_term to, baton_message*);
  int (*cancel_timer)(baton_context*, baton_term ref); /* 1: it will not arrive; 0: too late */

  /* Atoms: the term of a text (0 if it is longer than 255 bytes or not UTF-8), which the host
   * remembers for printing; and the text of an atom seen before, else null. Any thread. */
  baton_term (*atom)(const struct baton_host*, const char* text, size_t size);
  const char* (*atom_text)(const struct baton_host*, baton_term atom, size_t* size);

  /* Shared binaries, with one reference for the caller. Any thread. */
  baton_binary* (*binary_new)(size_t size);
  void (*binary_retain)(baton_binary*);
  void (*binary_release)(baton_binary*);

  /* Memory for frames, from the scheduler's pools. */
  void* (*allocate)(baton_context*, size_t bytes);
  void (*deallocate)(baton_context*, void*, size_t bytes);

  /* Writes a line to the host's log, with module, version and pid; the text is copied. */
  void (*log)(baton_context*, int level, const char* text, size_t size);
  /* The value of this key in the configuration of the process's application, in a block that passes
   * to the caller; null if there is none. */
  baton_message* (*config)(baton_context*, const char* key, size_t size);
  /* An optional table such as "baton.tcp/1", or null. Any thread. */
  const void* (*get_extension)(const struct baton_host*, const char* name_and_version);
} baton_host;

/* ---- The note ----------------------------------------------------------------------------------
 * The same facts in an ELF note, so that tools read them without running anything: owner "baton",
 * type below, 4-aligned, and a descriptor of UTF-8 lines, padded with zeros:
 *
 *   baton-note 1
 *   module NAME
 *   version VERSION
 *   abi MAJOR.MINOR
 *   build TAG
 *   stateful_globals                       only if the module has writable globals and answers for
 *                                          them: no take-over moves them, every version has its own
 *   atoms TEXT ...                         atoms the module names, any number of lines
 *   behaviour NAME gen_server|process      what follows belongs to it, up to the next behaviour
 *   schema NAME FINGERPRINT SIZE ALIGN REVISION LIBRARY    fingerprint as 16 hexadecimal digits
 *   field NAME TYPE OFFSET SIZE SCALAR FLAGS TYPE_TEXT     type as 16 hexadecimal digits
 *   renamed NEW OLD
 *   dropped NAME
 *   hooks change revert loss               those of the three that there are
 *   call NAME TYPE_TEXT -> TYPE_TEXT       the contract: a message, its fields, its reply
 *   cast NAME TYPE_TEXT
 *   info NAME TYPE_TEXT
 * and since ABI 1.1, after the message that they belong to, what older forms of it were:
 *   message_was NAME                       the message had that name
 *   member_default MEMBER TERM             what a member is that such a form lacks, as text
 *   member_was NEW OLD
 *   member_dropped NAME
 *   message_hooks change revert            since ABI 1.2: those of the two that there are
 * Messages of one name and kind stand there more than once if their numbers of members differ.
 */
enum { BATON_NOTE_TYPE = 0x42410001 };

/* In C, at namespace scope, once per module: BATON_NOTE("baton-note 1\nmodule ...\n"). */
#define BATON_NOTE(TEXT)                                                          \
  __attribute__((section(".note.baton"), used, aligned(4))) static const struct { \
    uint32_t owner_size, size, type;                                              \
    char owner[8];                                                                \
    char text[(sizeof(TEXT) + 3) / 4 * 4];                                        \
  } baton_note = {6, sizeof(TEXT), BATON_NOTE_TYPE, "baton", TEXT}

/* The atom of a text: FNV-1a over its bytes, shifted into the word with its tag. The module must
 * name the text in its note, or pass it to host->atom once, for the atom to be printable. */
static inline baton_term baton_atom(const char* text, size_t size) {
  uint64_t hash = 14695981039346656037ull;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ (unsigned char)text[i]) * 1099511628211ull;
  return (hash & ~(uint64_t)7) | BATON_TAG_ATOM;
}

#ifdef __clang__
#pragma clang diagnostic pop
#endif
#ifdef __cplusplus
}
#endif
#endif
