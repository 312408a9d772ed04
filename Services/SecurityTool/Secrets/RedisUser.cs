using System.Security.Cryptography;
using System.Text;
using Platform.SecurityTool.Stack;
using StackExchange.Redis;

namespace Platform.SecurityTool.Secrets;

/// <summary>A program's user of Redis, who may have several passwords, on each node for itself.</summary>
/// <remarks><see href="https://redis.io/docs/latest/commands/acl-setuser/"/></remarks>
/// <param name="stack">The stack.</param>
/// <param name="user">The user.</param>
internal sealed class RedisUser(RunningStack stack, string user) : IRotatedServer
{
    /// <inheritdoc/>
    /// <remarks>Longer than the services' time limits for a connection, which are 3 seconds at most.</remarks>
    public TimeSpan Overlap => TimeSpan.FromSeconds(4);

    /// <inheritdoc/>
    public Task AcceptAsync(string password, CancellationToken cancellationToken) => SetAsync([HashOf(password)]);

    /// <inheritdoc/>
    public Task KeepOnlyAsync(string password, CancellationToken cancellationToken) => SetAsync(["resetpass", HashOf(password)]);

    // Its hash: the password itself would be seen by who watches commands.
    private static string HashOf(string password) => $"#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(password)))}";

    private async Task SetAsync(string[] rules)
    {
        var asked = "Redis";
        try
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(stack.RedisOptions());
            foreach (var node in connection.GetServers())
            {
                asked = node.EndPoint.ToString()!;
                if ((await node.ExecuteAsync("ACL", "GETUSER", user)).IsNull)
                {
                    throw new RotationException($"{asked} has no user {user}.");
                }

                await node.ExecuteAsync("ACL", ["SETUSER", user, .. rules]);
            }
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            throw new RotationException($"{asked} did not change the passwords of {user}: {exception.Message.Split('\n')[0].Trim().TrimEnd('.')}.", exception);
        }
    }
}
