/* What pkigen.matrix.lines asks and is answered: a line for each case, fields between tabs. */
#ifndef PKIGEN_LINES_H
#define PKIGEN_LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of pkigen.matrix.lines.FIELDS; a file that there is not is an empty string. */
enum { CERTIFICATE, CHAIN, KEY, PKCS12, PASSPHRASE, HOST, AT, ANCHORS, CRLS, FIELDS };

/* The next case; 0 when there is none. */
static int next_case(char *fields[FIELDS])
{
	static char *line;
	static size_t room;
	ssize_t length = getline(&line, &room, stdin);
	char *rest = line;
	if (length <= 0)
		return 0;
	line[length - 1] = '\0'; /* the line feed */
	for (int number = 0; number < FIELDS; number++)
		fields[number] = rest ? strsep(&rest, "\t") : line + length - 1;
	return 1;
}

/* The next of a list of paths, NULL after the last. */
static char *next_path(char **list)
{
	char *found = *list && **list ? strsep(list, "\x1f") : NULL;
	return found;
}

/* The verdict on one part: 1 or 0, with words. */
static void say(const char *part, int accepted, const char *words)
{
	printf("%s\t%d\t", part, accepted);
	for (; words && *words; words++)
		putchar((unsigned char)*words < ' ' ? ' ' : *words);
	putchar('\t');
}

static void end_case(void)
{
	putchar('\n');
	fflush(stdout);
}

/* A file's octets with a NUL behind them, to be freed; NULL when it cannot be read. */
static inline unsigned char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	unsigned char *data = NULL;
	size_t room = 0;
	*length = 0;
	if (!file)
		return NULL;
	do {
		if (room - *length < 4096)
			data = (unsigned char *)realloc(data, room = 2 * room + 8192);
		room -= 1;
		*length += fread(data + *length, 1, room - *length, file);
		room += 1;
	} while (!feof(file) && !ferror(file));
	fclose(file);
	data[*length] = '\0';
	return data;
}

/* The first line of the passphrase's file, to be freed; NULL when there is none. */
static inline char *passphrase(const char *path)
{
	size_t length;
	char *text = *path ? (char *)read_file(path, &length) : NULL;
	if (text)
		text[strcspn(text, "\r\n")] = '\0';
	return text;
}

#endif
