/* bad: a module without behaviours that breaks one rule of the gate, chosen by a macro or by how it
 * is linked. */
#include <baton/abi.h>

#ifdef BAD_COUNTS_STARTS
static int starts;
static int start(const baton_host* host, baton_error* error) {
  (void)host, (void)error;
  return ++starts == 1 ? 0 : -1;
}
#else
#define start NULL
#endif

static const baton_module description = {sizeof(baton_module),
                                         BATON_ABI_MAJOR,
                                         BATON_ABI_MINOR,
                                         "bad",
                                         "1.0.0",
                                         "bad",
                                         0,
                                         sizeof(baton_behaviour),
                                         NULL,
                                         start,
                                         NULL};

#ifdef BAD_CONSTRUCTOR
__attribute__((constructor)) static void runs_before_init(void) { __asm__ volatile(""); }
#endif

#ifdef BAD_INDIRECT_FUNCTION
static int plain(void) { return 1; }
static int (*choose(void))(void) { return plain; }
__attribute__((used)) static int chosen(void) __attribute__((ifunc("choose")));
#endif

#ifdef BAD_INIT_SECTION
__asm__(".pushsection .init,\"ax\"\nnop\n.popsection");
#endif
#ifdef BAD_FINI_SECTION
__asm__(".pushsection .fini,\"ax\"\nnop\n.popsection");
#endif
#ifdef BAD_INIT_OPTION
void runs_at_load(void) { __asm__ volatile(""); }
#endif

#ifndef BAD_NO_ENTRY
__attribute__((visibility("default"))) const baton_module* baton_module_entry(void) {
#if defined(BAD_THREAD_LOCAL)
  static _Thread_local int per_thread;
  per_thread++;
#elif defined(BAD_THREAD_ATEXIT)
  int __cxa_thread_atexit_impl(void (*)(void*), void*, void*);
  __cxa_thread_atexit_impl(NULL, NULL, NULL);
#elif defined(BAD_WRITABLE_GLOBAL)
  static int requests_seen;
  requests_seen++;
  __asm__ volatile("" : : "r"(requests_seen));
#elif defined(BAD_IMPORT)
  int BAD_IMPORT(void);
  BAD_IMPORT();
#elif defined(BAD_DEPENDENCY)
  int private_answer(void);
  private_answer();
#endif
  return &description;
}
#endif

#ifdef BAD_TEXTREL
__asm__(
    ".pushsection .text\n.quad bad_text_word\n.popsection\n.pushsection .rodata\nbad_text_word: "
    ".quad 0\n.popsection");
#endif

#ifdef BAD_UNNAMED_GLOBAL
__asm__(".pushsection .data\n.fill 128, 1, 7\n.popsection");
#endif

#if defined(BAD_EXPORT) || defined(BAD_NO_ENTRY)
__attribute__((visibility("default"))) const void* BAD_EXPORT(void) { return &description; }
#endif

#ifndef BAD_ABI
#define BAD_ABI "1.2"
#endif
#ifndef BAD_NOTE_LINE
#define BAD_NOTE_LINE "build bad"
#endif
#ifndef BAD_NO_NOTE
BATON_NOTE(
    "baton-note 1\n"
    "module bad\n"
    "version 1.0.0\n"
    "abi " BAD_ABI "\n" BAD_NOTE_LINE "\n");
#endif
#ifdef BAD_SECOND_NOTE
#define baton_note baton_note_2
BATON_NOTE("baton-note 1\nmodule second\n");
#endif
