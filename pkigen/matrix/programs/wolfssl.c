/* Judges cases with wolfSSL; --version prints its version. */
#define _GNU_SOURCE
#include "lines.h"

#include <time.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/pkcs12.h>

#define RECORD 16000 /* bytes of a TLS record */
#define FAILED 1 /* the library returns 0, without a reason */

typedef struct {
	unsigned char *data;
	size_t length, room, given;
} bytes;

static time_t at;

static time_t time_of_case(time_t *given)
{
	if (given)
		*given = at;
	return at;
}

/* 0 for success, otherwise the reason of a failure. */
static int status(int code)
{
	return code == WOLFSSL_SUCCESS ? 0 : code == WOLFSSL_FAILURE ? FAILED : code;
}

static void put(bytes *to, const void *data, size_t length)
{
	if (to->length + length > to->room)
		to->data = realloc(to->data, to->room = 2 * (to->length + length) + 1024);
	memcpy(to->data + to->length, data, length);
	to->length += length;
}

static void put_vector(bytes *to, const bytes *contents)
{
	const unsigned char length[] = { contents->length >> 16, contents->length >> 8, contents->length };
	put(to, length, sizeof length);
	put(to, contents->data, contents->length);
}

static const char *failure(int code)
{
	static char words[WOLFSSL_MAX_ERROR_SZ];
	if (code == FAILED)
		return "no reason given";
	wolfSSL_ERR_error_string_n(code, words, sizeof words);
	return words;
}

/* Appends the certificates of a PEM file, each after its length, as a TLS server sends them; the number of the
 * certificates, or an error. Like the library for chain files, it ignores what follows the last certificate. */
static int read_certificates(const char *path, bytes *sent)
{
	size_t length, done = 0;
	unsigned char *data = read_file(path, &length);
	int count = 0, code = data ? 0 : BAD_FUNC_ARG;
	while (code == 0 && done < length) {
		EncryptedInfo info = {0};
		DerBuffer *der = NULL;
		code = wc_PemToDer(data + done, (long)(length - done), CERT_TYPE, &der, NULL, &info, NULL);
		if (code == 0) {
			put_vector(sent, &(bytes){ der->buffer, der->length, 0, 0 });
			done += (size_t)info.consumed;
			count++;
		} else if (code == ASN_NO_PEM_HEADER && count > 0) {
			code = 0;
			done = length;
		}
		wc_FreeDer(&der);
	}
	free(data);
	return code ? code : count ? count : ASN_NO_PEM_HEADER;
}

/* What a server of TLS 1.2 sends up to its certificates, in records. */
static void make_flight(const bytes *certificates, bytes *flight)
{
	/* Version, random bytes, no session ID, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, no compression. */
	unsigned char hello[38] = { 3, 3, [34] = 0, 0xc0, 0x2f, 0 };
	bytes list = {0}, messages = {0};
	memset(hello + 2, 0x55, 32);
	put(&messages, "\x02", 1);
	put_vector(&messages, &(bytes){ hello, sizeof hello, 0, 0 });
	put_vector(&list, certificates);
	put(&messages, "\x0b", 1);
	put_vector(&messages, &list);
	for (size_t done = 0; done < messages.length; done += RECORD) {
		size_t length = messages.length - done < RECORD ? messages.length - done : RECORD;
		const unsigned char head[] = { 0x16, 3, 3, length >> 8, length };
		put(flight, head, sizeof head);
		put(flight, messages.data + done, length);
	}
	free(list.data);
	free(messages.data);
}

static int receive(WOLFSSL *client, char *to, int room, void *given)
{
	bytes *flight = given;
	size_t length = flight->length - flight->given;
	(void)client;
	if (length == 0)
		return WOLFSSL_CBIO_ERR_WANT_READ;
	if (length > (size_t)room)
		length = (size_t)room;
	memcpy(to, flight->data + flight->given, length);
	flight->given += length;
	return (int)length;
}

static int ignore(WOLFSSL *client, char *data, int length, void *unused)
{
	(void)client, (void)data, (void)unused;
	return length;
}

/* 0 when a client accepts the server's certificates and waits for its next message, otherwise an error. */
static int connect_to(WOLFSSL_CTX *context, bytes *flight, const char *host)
{
	WOLFSSL *client = wolfSSL_new(context);
	int code;
	flight->given = 0;
	wolfSSL_SetIOReadCtx(client, flight);
	if (strchr(host, ':') || (*host && !host[strspn(host, "0123456789.")]))
		wolfSSL_X509_VERIFY_PARAM_set1_ip_asc(wolfSSL_get0_param(client), host);
	else if (*host)
		wolfSSL_check_domain_name(client, host);
	code = wolfSSL_get_error(client, wolfSSL_connect(client));
	wolfSSL_free(client);
	return code == WOLFSSL_ERROR_WANT_READ && flight->given == flight->length ? 0 : code;
}

/* The library verifies the signature of a CRL when it loads it: its issuers are those that the first handshake
 * of the context has accepted. */
static void judge_crls(char **fields, WOLFSSL_CTX *context, bytes *flight)
{
	char *path, *list = fields[CRLS];
	int code = status(wolfSSL_CTX_EnableCRL(context, WOLFSSL_CRL_CHECKALL));
	while (code == 0 && (path = next_path(&list))) {
		size_t length;
		unsigned char *data = read_file(path, &length);
		code = status(wolfSSL_CTX_LoadCRLBuffer(context, data, (long)length, WOLFSSL_FILETYPE_ASN1));
		free(data);
	}
	if (code == 0)
		code = connect_to(context, flight, fields[HOST]);
	say("crl", code == 0, code == 0 ? "" : failure(code));
}

static void judge_path(char **fields)
{
	WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_2_client_method());
	bytes certificates = {0}, flight = {0};
	char *path, *list = fields[ANCHORS];
	int code = read_certificates(fields[CERTIFICATE], &certificates);
	if (code > 0 && *fields[CHAIN])
		code = read_certificates(fields[CHAIN], &certificates);
	code = code > 0 ? 0 : code;
	wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, NULL);
	wolfSSL_CTX_SetIORecv(context, receive);
	wolfSSL_CTX_SetIOSend(context, ignore);
	while (code == 0 && (path = next_path(&list))) {
		size_t length;
		unsigned char *data = read_file(path, &length);
		code = status(wolfSSL_CTX_load_verify_buffer(context, data, (long)length, WOLFSSL_FILETYPE_PEM));
		free(data);
	}
	if (code == 0) {
		make_flight(&certificates, &flight);
		code = connect_to(context, &flight, fields[HOST]);
	}
	say("path", code == 0, code == 0 ? "" : failure(code));
	if (code == 0)
		judge_crls(fields, context, &flight);
	wolfSSL_CTX_free(context);
	free(certificates.data);
	free(flight.data);
}

static int give_passphrase(char *to, int room, int writing, void *secret)
{
	(void)writing;
	return secret ? snprintf(to, (size_t)room, "%s", (char *)secret) : 0;
}

/* A key with its certificate; 0 when they match, otherwise an error. */
static int load_key(WOLFSSL_CTX *server, const unsigned char *key, size_t length, int format)
{
	int code = status(wolfSSL_CTX_use_PrivateKey_buffer(server, key, (long)length, format));
	return code ? code : status(wolfSSL_CTX_check_private_key(server));
}

static void judge_key(char **fields)
{
	char *secret = passphrase(fields[PASSPHRASE]);
	WOLFSSL_CTX *server = wolfSSL_CTX_new(wolfTLSv1_2_server_method());
	size_t length;
	unsigned char *data = read_file(fields[KEY], &length);
	wolfSSL_CTX_set_default_passwd_cb(server, give_passphrase);
	wolfSSL_CTX_set_default_passwd_cb_userdata(server, secret);
	if (wolfSSL_CTX_use_certificate_file(server, fields[CERTIFICATE], WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS) {
		int code = load_key(server, data, length, WOLFSSL_FILETYPE_PEM);
		say("key", code == 0, code == 0 ? "" : failure(code));
	}
	wolfSSL_CTX_free(server);
	free(data);
	free(secret);
}

static void judge_pkcs12(char **fields)
{
	char *secret = passphrase(fields[PASSPHRASE]);
	WOLFSSL_CTX *server = wolfSSL_CTX_new(wolfTLSv1_2_server_method());
	WC_PKCS12 *store = wc_PKCS12_new();
	unsigned char *key = NULL, *certificate = NULL;
	word32 key_length = 0, certificate_length = 0;
	size_t length;
	unsigned char *data = read_file(fields[PKCS12], &length);
	int code = data ? wc_d2i_PKCS12(data, (word32)length, store) : BAD_FUNC_ARG;
	if (code >= 0)
		code = wc_PKCS12_parse(store, secret ? secret : "", &key, &key_length, &certificate, &certificate_length, NULL);
	if (code == 0)
		code = status(wolfSSL_CTX_use_certificate_buffer(server, certificate, certificate_length, WOLFSSL_FILETYPE_ASN1));
	if (code == 0)
		code = load_key(server, key, key_length, WOLFSSL_FILETYPE_ASN1);
	say("pkcs12", code == 0, code == 0 ? "" : failure(code));
	wc_PKCS12_free(store);
	wolfSSL_CTX_free(server);
	free(key);
	free(certificate);
	free(data);
	free(secret);
}

int main(int count, char **words)
{
	char *fields[FIELDS];
	if (count > 1 && strcmp(words[1], "--version") == 0) {
		printf("wolfSSL %s\n", wolfSSL_lib_version());
		return 0;
	}
	wolfSSL_Init();
	wc_SetTimeCb(time_of_case);
	while (next_case(fields)) {
		at = (time_t)atoll(fields[AT]);
		judge_path(fields);
		if (*fields[KEY])
			judge_key(fields);
		if (*fields[PKCS12])
			judge_pkcs12(fields);
		end_case();
	}
	return 0;
}
