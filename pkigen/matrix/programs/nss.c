/* Judges cases with NSS; --version prints its version. */
#define _GNU_SOURCE
#include "lines.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cert.h>
#include <certdb.h>
#include <nspr.h>
#include <nss.h>
#include <ocsp.h>
#include <ocspt.h>
#include <prerror.h>
#include <secerr.h>

#define SECONDS 20

static const char *reason(void)
{
	static char words[512];
	PRErrorCode code = PR_GetError();
	const char *name = PR_ErrorToName(code), *text = PR_ErrorToString(code, PR_LANGUAGE_I_DEFAULT);
	snprintf(words, sizeof words, "%s: %s", name ? name : "no error code", text ? text : "");
	return words;
}

/* The certificates of a PEM file; one that cannot be read is passed over, its error told by ``failed``. */
static CERTCertList *certificates(const char *path, int all, int *failed)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	size_t length;
	char *data = (char *)read_file(path, &length), *block = data;
	CERTCertList *found = CERT_NewCertList();
	*failed = data == NULL;
	if (data && all)
		block = strstr(data, begin);
	while (block) {
		char *next = all ? strstr(block + 1, begin) : NULL;
		size_t own = next ? (size_t)(next - block) : length - (size_t)(block - data);
		CERTCertificate *one = CERT_DecodeCertFromPackage(block, (int)own);
		if (one)
			CERT_AddCertToListTail(found, one);
		else
			*failed = 1;
		block = next;
	}
	if (data && all && CERT_LIST_EMPTY(found))
		*failed = 1;
	free(data);
	return found;
}

/* With fetching forbidden, libpkix finds no CRL in its cache that is fresh enough: it may, and gets nothing. */
static SECStatus no_session(const char *host, PRUint16 port, SEC_HTTP_SERVER_SESSION *session)
{
	(void)host, (void)port, (void)session;
	PR_SetError(PR_CONNECT_REFUSED_ERROR, 0);
	return SECFailure;
}

static const SEC_HttpClientFcn no_network = { 1, { { no_session, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } } };

/* By libpkix, with CRLs that were given to it or without. */
static SECStatus verify(CERTCertificate *server, CERTCertList *anchors, PRTime at, int with_lists)
{
	PRUint64 methods[2] = { 0, 0 };
	CERTRevocationMethodIndex preferred = cert_revocation_method_crl;
	CERTRevocationTests tests = { 1, methods, 1, &preferred, CERT_REV_MI_TEST_ALL_LOCAL_INFORMATION_FIRST };
	CERTRevocationFlags flags = { tests, tests };
	CERTValInParam asked[5];
	CERTValOutParam told[1];
	if (with_lists)
		methods[cert_revocation_method_crl] = CERT_REV_M_TEST_USING_THIS_METHOD | CERT_REV_M_FAIL_ON_MISSING_FRESH_INFO;
	asked[0].type = cert_pi_trustAnchors;
	asked[0].value.pointer.chain = anchors;
	asked[1].type = cert_pi_date;
	asked[1].value.scalar.time = at;
	asked[2].type = cert_pi_revocationFlags;
	asked[2].value.pointer.revocation = &flags;
	asked[3].type = cert_pi_useAIACertFetch;
	asked[3].value.scalar.b = PR_FALSE;
	asked[4].type = cert_pi_end;
	told[0].type = cert_po_end;
	return CERT_PKIXVerifyCert(server, certificateUsageSSLServer, asked, told, NULL);
}

static void judge_crls(char **fields, CERTCertificate *server, CERTCertList *anchors, PRTime at)
{
	char *path, *list = fields[CRLS];
	while ((path = next_path(&list))) {
		SECItem *held = SECITEM_AllocItem(NULL, NULL, 0); /* the cache goes on using it */
		size_t length;
		held->data = read_file(path, &length);
		held->len = (unsigned int)length;
		if (CERT_CacheCRL(CERT_GetDefaultCertDB(), held) != SECSuccess) {
			say("crl", 0, reason());
			return;
		}
	}
	if (verify(server, anchors, at, 1) == SECSuccess)
		say("crl", 1, "");
	else
		say("crl", 0, reason());
}

static void judge(char **fields)
{
	PRTime at = (PRTime)atoll(fields[AT]) * PR_USEC_PER_SEC;
	CERTCertList *anchors = CERT_NewCertList(), *own;
	char *path, *list = fields[ANCHORS];
	CERTCertificate *server;
	int failed = 0;
	while ((path = next_path(&list)) && !failed) {
		CERTCertList *held = certificates(path, 1, &failed);
		for (CERTCertListNode *node = CERT_LIST_HEAD(held); !CERT_LIST_END(node, held); node = CERT_LIST_NEXT(node))
			CERT_AddCertToListTail(anchors, CERT_DupCertificate(node->cert));
	}
	if (failed) {
		say("path", 0, "a trust anchor cannot be read");
		return;
	}
	own = certificates(fields[CERTIFICATE], 0, &failed);
	if (failed || CERT_LIST_EMPTY(own)) {
		say("path", 0, reason());
		return;
	}
	server = CERT_LIST_HEAD(own)->cert;
	if (*fields[CHAIN])
		certificates(fields[CHAIN], 1, &failed); /* they are found by their names as long as somebody holds them */
	if (failed || verify(server, anchors, at, 0) != SECSuccess || (*fields[HOST] && CERT_VerifyCertName(server, fields[HOST]) != SECSuccess)) {
		say("path", 0, reason());
		return;
	}
	say("path", 1, "");
	judge_crls(fields, server, anchors, at);
}

int main(int count, char **words)
{
	char *fields[FIELDS];
	if (count > 1 && strcmp(words[1], "--version") == 0) {
		printf("NSS %s\n", NSS_GetVersion());
		return 0;
	}
	/* NSS remembers certificates and CRLs: each case has a process of its own. */
	while (next_case(fields)) {
		int status;
		pid_t child = fork();
		if (child == 0) {
			alarm(SECONDS);
			if (NSS_NoDB_Init(NULL) != SECSuccess || SEC_RegisterDefaultHttpClient(&no_network) != SECSuccess)
				_exit(1);
			judge(fields);
			end_case();
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) < 0)
			return 1;
		if (WIFSIGNALED(status)) {
			signal(WTERMSIG(status), SIG_DFL);
			raise(WTERMSIG(status));
		}
		if (WEXITSTATUS(status) != 0)
			return WEXITSTATUS(status);
	}
	return 0;
}
