// archive: a library of somebody else's that keeps a count.
int count_call();

static int calls = 0;

int count_call() { return ++calls; }
