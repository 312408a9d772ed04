using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Audit;
using Platform.Mongo.Connections;
using Platform.SecurityTool.Stack;
using StackExchange.Redis;

namespace Platform.SecurityTool.Checks;

/// <summary>What has to hold of the MongoDB servers.</summary>
internal static class MongoChecks
{
    private const int Unauthorized = 13;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    // What a client without a login would look for: https://www.mongodb.com/docs/manual/reference/command/ (none of them writes)
    private static readonly BsonDocument[] s_questions =
    [
        new("listDatabases", 1), new("usersInfo", new BsonDocument("forAllDBs", true)), new("serverStatus", 1), new("getCmdLineOpts", 1),
        new("replSetGetStatus", 1), new("currentOp", 1),
    ];

    // https://www.mongodb.com/docs/manual/reference/built-in-roles/
    private static readonly HashSet<string> s_everything = new(StringComparer.Ordinal)
    {
        "__system", "root", "restore", "userAdminAnyDatabase", "dbAdminAnyDatabase", "readWriteAnyDatabase", "readAnyDatabase", "clusterAdmin", "hostManager",
    };

    // Of one database; on admin, whose users and roles are everybody's, they may do everything.
    private static readonly HashSet<string> s_ofDatabase = new(StringComparer.Ordinal) { "dbOwner", "userAdmin" };

    public static IReadOnlyList<SecurityCheck> All { get; } =
    [
        new(
            "mongodb-authentication", "MongoDB answers nobody who has not logged in",
            "Whoever reaches the port reads and changes everything.",
            "Start the servers with a keyfile or security.authorization: enabled.",
            "CIS MongoDB 7, 2.1", AuthenticationAsync),
        new(
            "mongodb-tls", "MongoDB takes TLS 1.2 and 1.3 connections alone, with a certificate that clients can check",
            "Who listens on the way reads passwords' proofs and data, or answers in the server's place.",
            "Leave out Platform:Tls=false; elsewhere net.tls.mode: requireTLS, with a certificate of an authority that the clients know.",
            "CIS MongoDB 7, 4.1 and 4.2",
            (stack, cancellationToken) => TlsProbe.JudgeAsync(stack.MongoServers, TlsProbe.MongoHello, stack.Authority, cancellationToken)),
        new(
            "mongodb-mechanisms", "All users log in by SCRAM-SHA-256 alone",
            "SCRAM-SHA-1 keeps MD5 of the password, which is guessed faster.",
            "updateUser with mechanisms: ['SCRAM-SHA-256'] and a new password.",
            "MongoDB manual, SCRAM", MechanismsAsync),
        new(
            "mongodb-least-privilege", "Nobody but the administrator may do everything",
            "One service that is taken over gives away all of them, and can hide that it did.",
            "./platform migrator access plan shows what each service needs, and apply takes away the rest.",
            "CIS MongoDB 7, 3.2 and 3.4", LeastPrivilegeAsync),
        new(
            "mongodb-server-scripts", "MongoDB runs no JavaScript that a client sends",
            "A filter that was put together from a caller's words runs as a program in the server.",
            "Start mongod with --noscripting (security.javascriptEnabled: false).",
            "CIS MongoDB 7, 6.3", ServerScriptsAsync),
        new(
            "mongodb-audit", "An audit log is written, and is as it was written",
            "Nobody can say afterwards who changed users or data.",
            "Leave out Platform:Audit:Enabled=false; ./platform audit verify says what was changed. Percona Server and MongoDB Enterprise have their own.",
            "CIS MongoDB 7, 5.1", AuditAsync),
        new(
            "mongodb-at-rest", "MongoDB's data is encrypted on the disk",
            "Who gets hold of the disk, or of a copy of the data directory, reads all of it.",
            "Platform:EncryptAtRest=true with new data; elsewhere Percona Server or MongoDB Enterprise with security.enableEncryption, Atlas, or an "
                + "encrypted disk.",
            "CIS MongoDB 7, 4.4", AtRestAsync),
    ];

    private static async Task<CheckOutcome> AuthenticationAsync(RunningStack stack, CancellationToken cancellationToken)
    {
        var against = new List<string>();
        foreach (var server in stack.MongoServers)
        {
            var settings = stack.MongoSettings(server);
            settings.Credential = null;
            using var client = new MongoClient(settings);
            foreach (var question in s_questions)
            {
                try
                {
                    await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(question, cancellationToken: cancellationToken);
                    against.Add($"{EndPointCollection.ToString(server)} answers {question.GetElement(0).Name} to a client without a login.");
                }
                catch (MongoCommandException exception) when (exception.Code == Unauthorized)
                {
                    // As it should be.
                }
            }
        }

        return CheckOutcome.Of(against, $"{s_questions.Length} commands to each of {Counted.Of(stack.MongoServers.Count, "server")}, all refused");
    }

    private static Task<CheckOutcome> MechanismsAsync(RunningStack stack, CancellationToken cancellationToken) => WithAdministratorAsync(
        stack, async admin => JudgeMechanisms(await UsersAsync(admin, cancellationToken)));

    /// <summary>Whether all users log in as they should.</summary>
    /// <param name="users">As <c>usersInfo</c> answers.</param>
    internal static CheckOutcome JudgeMechanisms(IReadOnlyList<BsonDocument> users)
    {
        var against = users.Where(user => user.GetValue("mechanisms", new BsonArray()).AsBsonArray.Any(mechanism => mechanism == "SCRAM-SHA-1"))
            .Select(user => $"{Name(user)} can log in by SCRAM-SHA-1.");
        return CheckOutcome.Of([.. against], Counted.Of(users.Count, "user"));
    }

    private static Task<CheckOutcome> LeastPrivilegeAsync(RunningStack stack, CancellationToken token) => WithAdministratorAsync(stack, async admin =>
    {
        var roles = await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "rolesInfo", 1 }, { "showPrivileges", true } }, cancellationToken: token);
        return JudgePrivileges(
            await UsersAsync(admin, token), [.. roles["roles"].AsBsonArray.Select(role => role.AsBsonDocument)], stack.Administrator!);
    });

    /// <summary>Whether only the administrator may do everything.</summary>
    /// <param name="users">As <c>usersInfo</c> answers.</param>
    /// <param name="roles">As <c>rolesInfo</c> answers, with privileges.</param>
    /// <param name="administrator">Whose name that is, with the database.</param>
    internal static CheckOutcome JudgePrivileges(IReadOnlyList<BsonDocument> users, IReadOnlyList<BsonDocument> roles, string administrator)
    {
        var everything = s_everything.Concat(roles.Where(IsWide).Select(role => role["role"].AsString)).ToHashSet(StringComparer.Ordinal);
        var against = from user in users
                      where Name(user) != administrator
                      from role in user.GetValue("roles", new BsonArray()).AsBsonArray.Concat(user.GetValue("inheritedRoles", new BsonArray()).AsBsonArray)
                      let name = role["role"].AsString
                      where everything.Contains(name) || (s_ofDatabase.Contains(name) && role["db"] == "admin")
                      select $"{Name(user)} has the role {name}.";
        return CheckOutcome.Of([.. against.Distinct()], $"{Counted.Of(users.Count, "user")}, of whom one is the administrator");
    }

    // Of every resource, or every action on one.
    private static bool IsWide(BsonDocument role) => role.GetValue("privileges", new BsonArray()).AsBsonArray.Any(privilege =>
        privilege["resource"].AsBsonDocument.GetValue("anyResource", false).ToBoolean()
        || privilege["actions"].AsBsonArray.Any(action => action == "anyAction"));

    private static Task<CheckOutcome> ServerScriptsAsync(RunningStack stack, CancellationToken token) => WithAdministratorAsync(stack, async admin =>
    {
        var script = new BsonDocument { { "find", CollectionNames.Tenants }, { "filter", new BsonDocument("$where", "true") }, { "limit", 1 } };
        try
        {
            await admin.Client.GetDatabase(stack.Database).RunCommandAsync<BsonDocument>(script, cancellationToken: token);
            return CheckOutcome.Of(["A filter with $where is run."], "");
        }
        catch (MongoCommandException exception)
        {
            return CheckOutcome.Of([], $"a filter with $where is refused: {exception.ErrorMessage}");
        }
    });

    private static Task<CheckOutcome> AuditAsync(RunningStack stack, CancellationToken cancellationToken)
    {
        if (!stack.Engine.StartsWith("documentdb", StringComparison.OrdinalIgnoreCase))
        {
            return Task.FromResult(CheckOutcome.NotApplicable("The community's mongod has no audit log; that of other servers cannot be read from here."));
        }

        if (!stack.Audit.IsOn)
        {
            return Task.FromResult(CheckOutcome.Of(["The stack writes no audit log."], ""));
        }

        var writers = AuditVerifier.Writers(stack.Audit);
        var against = writers.Select(writer => AuditVerifier.Verify(stack.Audit, writer, cancellationToken))
            .SelectMany(verification => verification.Findings.Select(finding => $"{verification.Writer}: {finding.Sentence}"))
            .Concat(writers.Count == 0 ? ["Nobody has written a line yet."] : []);
        return Task.FromResult(CheckOutcome.Of([.. against], $"{Counted.Of(writers.Count, "log")}, each line verified"));
    }

    private static async Task<CheckOutcome> AtRestAsync(RunningStack stack, CancellationToken cancellationToken)
    {
        if (stack.Engine.StartsWith("external", StringComparison.OrdinalIgnoreCase))
        {
            // https://www.mongodb.com/docs/atlas/security-kms-encryption/: the disks of all clusters are encrypted.
            return stack.MongoServers.All(server => server.Host.EndsWith(".mongodb.net", StringComparison.OrdinalIgnoreCase))
                ? CheckOutcome.Of([], "the servers are those of Atlas, which encrypts its disks")
                : await JudgeServersAsync(stack, cancellationToken);
        }

        if (!stack.IsToBeEncryptedAtRest)
        {
            return CheckOutcome.NotApplicable(
                "Platform:EncryptAtRest is not set: the data of this stack is plain on the disk, unless the disk is encrypted, which is not seen from here.");
        }

        return stack.Engine.StartsWith("documentdb", StringComparison.OrdinalIgnoreCase)
            ? JudgeMembers(stack.DataDirectory!)
            : await JudgeServersAsync(stack, cancellationToken);
    }

    // What a member has on the disk is one or the other.
    private static CheckOutcome JudgeMembers(string data)
    {
        var members = Directory.EnumerateDirectories(data, "postgres*").Where(member => File.Exists(Path.Combine(member, "lock"))).ToList();
        var against = members.Where(member => Directory.Exists(Path.Combine(member, "cluster")))
            .Select(member => $"{member} has a cluster that is not encrypted.")
            .Concat(members.Where(member => !File.Exists(Path.Combine(member, "encrypted", "gocryptfs.conf")))
                .Select(member => $"{member} has no encrypted cluster."))
            .Concat(members.Count == 0 ? [$"{data} has no data of a member."] : []);
        return CheckOutcome.Of([.. against], $"{Counted.Of(members.Count, "member")}, each with a cluster that is encrypted");
    }

    private static async Task<CheckOutcome> JudgeServersAsync(RunningStack stack, CancellationToken cancellationToken)
    {
        var against = new List<string>();
        foreach (var server in stack.MongoServers)
        {
            using var client = new MongoClient(stack.MongoSettings(server));
            var answer = await client.GetDatabase("admin")
                .RunCommandAsync<BsonDocument>(new BsonDocument("getCmdLineOpts", 1), ReadPreference.Nearest, cancellationToken);
            if (!IsEncrypted(answer))
            {
                against.Add($"{EndPointCollection.ToString(server)} does not say that it encrypts what it stores.");
            }
        }

        return CheckOutcome.Of(against, $"{Counted.Of(stack.MongoServers.Count, "server")}, each with security.enableEncryption");
    }

    /// <summary>Whether a server encrypts what it stores.</summary>
    /// <param name="options">As <c>getCmdLineOpts</c> answers.</param>
    internal static bool IsEncrypted(BsonDocument options) =>
        options.TryGetValue("parsed", out var parsed) && parsed.IsBsonDocument
        && parsed.AsBsonDocument.TryGetValue("security", out var security) && security.IsBsonDocument
        && security.AsBsonDocument.GetValue("enableEncryption", false).ToBoolean();

    private static async Task<CheckOutcome> WithAdministratorAsync(RunningStack stack, Func<IMongoDatabase, Task<CheckOutcome>> look)
    {
        if (stack.Administrator is null)
        {
            return CheckOutcome.NotApplicable("The connection string has no login.");
        }

        var settings = MongoTls.SettingsOf(stack.Mongo);
        settings.ServerSelectionTimeout = s_patience;
        using var client = new MongoClient(settings);
        return await look(client.GetDatabase("admin"));
    }

    private static async Task<List<BsonDocument>> UsersAsync(IMongoDatabase admin, CancellationToken cancellationToken)
    {
        var answer = await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "usersInfo", new BsonDocument("forAllDBs", true) }, { "showPrivileges", false } }, cancellationToken: cancellationToken);
        return [.. answer["users"].AsBsonArray.Select(user => user.AsBsonDocument)];
    }

    private static string Name(BsonDocument user) => $"{user["user"]}@{user["db"]}";
}
