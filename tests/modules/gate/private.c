/* private: a shared library of a module's own, which the gate does not let it bring. */
int private_answer(void);
int private_answer(void) { return 42; }
