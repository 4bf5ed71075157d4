// A library that a plugin of the story brings along. FUNCTION comes from the command line, and INNER, if it needs another.

int FUNCTION(void);

#ifdef INNER
int INNER(void);
#else
#define INNER() 0
#endif

int FUNCTION(void) { return 41 + INNER(); }
