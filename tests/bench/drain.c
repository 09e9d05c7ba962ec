/*
 * drain - a syslog socket that forgets: takes audit records as fast as they
 * come, so that the benchmark measures Sallyport and not its reader.
 *
 * usage: drain SOCKET
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	static char record[1 << 20];
	struct sockaddr_un here = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (argc != 2 || fd < 0 || strlen(argv[1]) >= sizeof(here.sun_path))
		return 2;
	memcpy(here.sun_path, argv[1], strlen(argv[1]));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    chmod(argv[1], 0666) != 0)
		return 1;
	while (recv(fd, record, sizeof(record), 0) >= 0)
		continue;
	return 1;
}
