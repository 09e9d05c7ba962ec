/*
 * tls_warm.h - what makes a TLS session small.
 */
#ifndef SALLYPORT_TLS_WARM_H
#define SALLYPORT_TLS_WARM_H

/* Have OpenSSL look up what handshakes need, before anything forks. */
void tls_warm_up(void);

#endif
