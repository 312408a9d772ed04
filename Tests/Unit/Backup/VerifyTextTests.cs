using Platform.Backup.PgBackRest;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>What pgBackRest's verify says, whose exit code says nothing.</summary>
public sealed class VerifyTextTests
{
    [Theory]
    [InlineData("stanza: platform\nstatus: ok\n")]
    [InlineData("status: ok\n  archiveId: 18-1, total WAL checked: 3, total valid WAL: 3\n    missing: 0, checksum invalid: 0, size invalid: 0, other: 0\n")]
    public void A_good_repository_has_no_findings(string text) => Assert.Empty(VerifyText.Read(text));

    [Fact]
    public void What_is_not_good_is_named()
    {
        var findings = VerifyText.Read("""
            stanza: platform
            status: error
              archiveId: 18-1, total WAL checked: 4, total valid WAL: 3
                missing: 0, checksum invalid: 1, size invalid: 0, other: 0
              backup: 20261129-020000F, status: invalid, total files checked: 9, total valid files: 7
                missing: 1, checksum invalid: 1, size invalid: 0, other: 0
              backup: 20261130-020000F, status: valid, total files checked: 9, total valid files: 9
                missing: 0, checksum invalid: 0, size invalid: 0, other: 0
            """);
        Assert.Equal(
            [
                ("archive 18-1", "pgBackRest says: checksum invalid: 1"),
                ("20261129-020000F", "pgBackRest says: invalid"),
                ("20261129-020000F", "pgBackRest says: missing: 1, checksum invalid: 1"),
            ],
            findings.Select(finding => (finding.Subject, finding.Fault)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("stanza: platform\n")]
    [InlineData("stanza: platform\nstatus: error\n")]
    [InlineData("something else")]
    public void A_text_that_does_not_say_that_all_is_good_is_a_finding(string text) => Assert.NotEmpty(VerifyText.Read(text));
}
