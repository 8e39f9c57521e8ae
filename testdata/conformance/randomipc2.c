/* randomipc2: the random program of one seed. */
#include "randomipc.h"

EACH("random/ipc-2", program, 2, 1000, 0)
