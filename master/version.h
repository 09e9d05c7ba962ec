/* version.h - what --version says. */
#ifndef SALLYPORT_VERSION_H
#define SALLYPORT_VERSION_H

#define SALLYPORT_VERSION "0.1.0"

#endif
