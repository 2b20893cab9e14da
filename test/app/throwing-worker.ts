/* A worker thread that fails at whatever it is asked for. */
throw new Error('no arithmetic today');
