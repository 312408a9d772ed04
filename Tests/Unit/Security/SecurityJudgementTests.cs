using System.Net;
using System.Text.Json;
using MongoDB.Bson;
using Platform.SecurityTool.Checks;
using Platform.SecurityTool.Reports;
using Platform.SecurityTool.Stack;
using Xunit;

namespace Platform.Tests.Unit.Security;

/// <summary>What the security checks make of what servers and the system say.</summary>
public sealed class SecurityJudgementTests
{
    private const string Administrator = "admin@admin";

    [Theory]
    [InlineData("['SCRAM-SHA-256']", CheckVerdict.Passed)]
    [InlineData("['SCRAM-SHA-1', 'SCRAM-SHA-256']", CheckVerdict.Failed)]
    [InlineData("['SCRAM-SHA-1']", CheckVerdict.Failed)]
    public void Who_can_log_in_by_the_weak_mechanism_is_found(string mechanisms, object verdict)
    {
        var outcome = MongoChecks.JudgeMechanisms([User("admin", "root", "['SCRAM-SHA-256']"), User("api", "platformApi", mechanisms)]);
        Assert.Equal(verdict, outcome.Verdict);
        Assert.Equal(verdict is CheckVerdict.Failed, outcome.Evidence[0].StartsWith("api@admin ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("platformApi", CheckVerdict.Passed)]
    [InlineData("clusterMonitor", CheckVerdict.Passed)]
    [InlineData("root", CheckVerdict.Failed)]
    [InlineData("readWriteAnyDatabase", CheckVerdict.Failed)]
    [InlineData("everything", CheckVerdict.Failed)]
    [InlineData("anything", CheckVerdict.Failed)]
    public void Who_may_do_everything_is_found_also_by_a_role_of_ones_own(string role, object verdict)
    {
        BsonDocument[] roles =
        [
            BsonDocument.Parse("{ role: 'platformApi', db: 'admin', privileges: [{ resource: { db: 'platform', collection: 'orders' }, actions: ['find'] }] }"),
            BsonDocument.Parse("{ role: 'everything', db: 'admin', privileges: [{ resource: { anyResource: true }, actions: ['find'] }] }"),
            BsonDocument.Parse("{ role: 'anything', db: 'admin', privileges: [{ resource: { db: 'platform', collection: '' }, actions: ['anyAction'] }] }"),
        ];
        var outcome = MongoChecks.JudgePrivileges([User("admin", "root"), User("service", role)], roles, Administrator);
        Assert.Equal(verdict, outcome.Verdict);
        Assert.Equal(
            verdict is CheckVerdict.Failed ? [$"service@admin has the role {role}."] : ["2 users, of whom one is the administrator"], outcome.Evidence);
    }

    [Fact]
    public void A_role_that_is_inherited_counts()
    {
        var user = User("service", "harmless");
        user["inheritedRoles"] = new BsonArray { new BsonDocument { { "role", "clusterAdmin" }, { "db", "admin" } } };
        Assert.Equal(["service@admin has the role clusterAdmin."], MongoChecks.JudgePrivileges([user], [], Administrator).Evidence);
    }

    [Theory]
    [InlineData("platform", CheckVerdict.Passed)]
    [InlineData("admin", CheckVerdict.Failed)]
    public void Who_owns_the_database_of_all_users_may_do_everything(string database, object verdict)
    {
        var user = User("service", "dbOwner");
        user["roles"][0]["db"] = database;
        Assert.Equal(verdict, MongoChecks.JudgePrivileges([user], [], Administrator).Verdict);
    }

    [Fact]
    public void Listening_ports_are_read_as_the_kernel_writes_them()
    {
        string[] four =
        [
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0",
            "   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 222 1 0 100 0 0 10 0",
            "   2: 0100007F:1F91 0100007F:0050 01 00000000:00000000 00:00000000 00000000  1000        0 333 1 0 100 0 0 10 0",
            "   3: 00000000:0051 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 444 1 0 100 0 0 10 0",
        ];
        string[] six =
        [
            four[0],
            "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 555 1",
            "   1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 666 1",
        ];
        Assert.SkipUnless(BitConverter.IsLittleEndian, "The lines are those of a processor that is little-endian.");
        Assert.Equal([new(IPAddress.Loopback, 8080), new(IPAddress.Any, 80)], ListeningSockets.Parse(four, new HashSet<string> { "111", "222", "333" }));
        Assert.Equal([new(IPAddress.IPv6Loopback, 8080), new(IPAddress.IPv6Any, 80)], ListeningSockets.Parse(six, new HashSet<string> { "555", "666" }));
    }

    [Fact]
    public void What_fails_or_is_not_known_stands_in_all_three_forms_and_is_not_good()
    {
        CheckedLine Line(string id, CheckVerdict verdict) => new(id, $"The title of {id}", verdict, [$"seen by {id}\e[31m"], "why", "mend", "source");
        var report = new SecurityReport(
            [Line("a", CheckVerdict.Passed), Line("b", CheckVerdict.Failed), Line("c", CheckVerdict.Unknown), Line("d", CheckVerdict.NotApplicable)]);
        Assert.False(report.IsGood);
        Assert.False(new SecurityReport([Line("c", CheckVerdict.Unknown)]).IsGood);
        Assert.True(new SecurityReport([Line("a", CheckVerdict.Passed), Line("d", CheckVerdict.NotApplicable)]).IsGood);

        using var text = new StringWriter();
        SecurityText.Print(text, report, colours: false);
        Assert.EndsWith($"1 passed, 1 failed, 1 not known, 1 do not apply.{Environment.NewLine}", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\e', text.ToString());
        Assert.Contains("FAILED", text.ToString(), StringComparison.Ordinal);

        var run = JsonDocument.Parse(Sarif.Of(report)).RootElement.GetProperty("runs")[0];
        Assert.Equal(4, run.GetProperty("tool").GetProperty("driver").GetProperty("rules").GetArrayLength());
        Assert.Equal(
            [("b", "error"), ("c", "warning")],
            run.GetProperty("results").EnumerateArray().Select(result => (result.GetProperty("ruleId").GetString(), result.GetProperty("level").GetString())));
    }

    [Fact]
    public void Names_of_checks_are_their_own() =>
        Assert.Equal(CheckCatalogue.All.Count, CheckCatalogue.All.Select(check => check.Id).Distinct(StringComparer.Ordinal).Count());

    private static BsonDocument User(string name, string role, string mechanisms = "['SCRAM-SHA-256']") =>
        BsonDocument.Parse($"{{ user: '{name}', db: 'admin', roles: [{{ role: '{role}', db: 'admin' }}], mechanisms: {mechanisms} }}");
}
