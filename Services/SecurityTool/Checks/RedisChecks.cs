using Platform.SecurityTool.Stack;
using StackExchange.Redis;

namespace Platform.SecurityTool.Checks;

/// <summary>What has to hold of the Redis servers. <see href="https://redis.io/docs/latest/operate/oss_and_stack/management/security/"/></summary>
internal static class RedisChecks
{
    // https://redis.io/docs/latest/commands/acl-dryrun/: nothing of this is run.
    private static readonly string[][] s_dangerous =
    [
        ["FLUSHALL"], ["FLUSHDB"], ["CONFIG", "GET", "*"], ["CONFIG", "SET", "dir", "/"], ["KEYS", "*"], ["SHUTDOWN"], ["DEBUG", "SLEEP", "0"],
        ["ACL", "LIST"], ["MODULE", "LIST"], ["MONITOR"], ["SAVE"], ["REPLICAOF", "NO", "ONE"], ["CLIENT", "KILL", "ID", "1"], ["SCRIPT", "FLUSH"],
        ["GET", "another:key"], ["SET", "another:key", "1"],
    ];

    public static IReadOnlyList<SecurityCheck> All { get; } =
    [
        new(
            "redis-authentication", "Redis answers nobody who has not logged in",
            "Whoever reaches the port reads and changes what the services show, and lets Redis write files.",
            "requirepass, or users with passwords (aclfile), on every node.",
            "Redis manual, Security: Authentication", AuthenticationAsync),
        new(
            "redis-tls", "Redis takes TLS 1.2 and 1.3 connections alone, with a certificate that clients can check",
            "Who listens on the way reads the password, and data of all tenants.",
            "Leave out Platform:Tls=false; elsewhere port 0, tls-port and tls-protocols \"TLSv1.2 TLSv1.3\".",
            "Redis manual, TLS",
            (stack, cancellationToken) => TlsProbe.JudgeAsync(stack.RedisServers, TlsProbe.RedisPing, stack.Authority, cancellationToken)),
        new(
            "redis-passwords", "Every user of Redis that is on has a password",
            "nopass lets in everybody who knows the name, and every client knows 'default'.",
            "ACL SETUSER name resetpass >password.",
            "Redis manual, ACL", PasswordsAsync),
        new(
            "redis-least-privilege", "Users of services can run no dangerous command of Redis, and reach only their keys",
            "One service that is taken over empties the cache, reads the configuration or stops the server.",
            "ACL SETUSER name resetkeys ~platform:* -@dangerous -@admin.",
            "Redis manual, ACL; Security: Disallowing specific commands", LeastPrivilegeAsync),
    ];

    private static async Task<CheckOutcome> AuthenticationAsync(RunningStack stack, CancellationToken cancellationToken)
    {
        var options = stack.RedisOptions();
        (options.User, options.Password) = (null, null);
        var against = new List<string>();
        foreach (var server in stack.RedisServers)
        {
            var one = options.Clone();
            one.EndPoints.Clear();
            one.EndPoints.Add(server);
            try
            {
                await using var connection = await ConnectionMultiplexer.ConnectAsync(one);
                await connection.GetServer(server).ExecuteAsync("PING");
                against.Add($"{EndPointCollection.ToString(server)} answers a client without a login.");
            }
            catch (RedisException exception) when (Says(exception, "NOAUTH"))
            {
                // As it should be.
            }
        }

        return CheckOutcome.Of(against, $"{Counted.Of(stack.RedisServers.Count, "server")}, each answered NOAUTH");
    }

    private static Task<CheckOutcome> PasswordsAsync(RunningStack stack, CancellationToken cancellationToken) => OnEachAsync(stack, async (name, server) =>
    {
        var against = new List<string>();
        foreach (var user in await UsersAsync(server))
        {
            if (user.IsOn && user.Rules.Contains("nopass", StringComparer.Ordinal))
            {
                against.Add($"{name}: {user.Name} needs no password.");
            }
        }

        return against;
    });

    private static Task<CheckOutcome> LeastPrivilegeAsync(RunningStack stack, CancellationToken cancellationToken) => OnEachAsync(stack, async (name, server) =>
    {
        var against = new List<string>();
        foreach (var user in await UsersAsync(server))
        {
            // The administrator may do everything, and is given to no service.
            if (!user.IsOn || user.Name == "default")
            {
                continue;
            }

            foreach (var command in s_dangerous)
            {
                var answer = await server.ExecuteAsync("ACL", ["DRYRUN", user.Name, .. command]);
                if (string.Equals(answer.ToString(), "OK", StringComparison.Ordinal))
                {
                    against.Add($"{name}: {user.Name} may run {string.Join(' ', command)}.");
                }
            }
        }

        return against;
    });

    private static async Task<CheckOutcome> OnEachAsync(RunningStack stack, Func<string, IServer, Task<List<string>>> look)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(stack.RedisOptions());
        var servers = connection.GetServers();
        var against = new List<string>();
        foreach (var server in servers)
        {
            against.AddRange(await look(EndPointCollection.ToString(server.EndPoint), server));
        }

        return CheckOutcome.Of(against, Counted.Of(servers.Length, "server"));
    }

    /// <summary>The users as <c>ACL LIST</c> tells of them: <c>user NAME on|off RULE...</c>.</summary>
    private static async Task<IReadOnlyList<RedisUser>> UsersAsync(IServer server) =>
        [.. ((string[])(await server.ExecuteAsync("ACL", "LIST"))!).Select(RedisUser.Parse)];

    private static bool Says(Exception? exception, string word) =>
        exception is not null && (exception.Message.Contains(word, StringComparison.Ordinal) || Says(exception.InnerException, word));

    private sealed record RedisUser(string Name, bool IsOn, IReadOnlyList<string> Rules)
    {
        public static RedisUser Parse(string line)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new(words[1], words.Contains("on", StringComparer.Ordinal), words);
        }
    }
}
