using Platform.AppHost.Security;
using StackExchange.Redis;

namespace Platform.AppHost.Commands;

internal static class CacheCommands
{
    /// <summary>
    /// Adds a command that removes every key of the cache and tells how many there were. It can be chosen only while
    /// the cache is healthy.
    /// </summary>
    public static IResourceBuilder<T> WithFlushCommand<T>(this IResourceBuilder<T> cache)
        where T : IResourceWithConnectionString
        => cache.WithCommand(
            CommandNames.FlushCache,
            "Flush cache",
            context => FlushAsync(cache.Resource, context.CancellationToken),
            new CommandOptions
            {
                Description = "Removes every key. The services fill the cache again as they read.",
                ConfirmationMessage = "Remove every key of the cache?",
                IconName = "DatabaseArrowDown",
                UpdateState = JobCommands.OnlyWhileHealthy,
            });

    private static async Task<ExecuteCommandResult> FlushAsync(
        IResourceWithConnectionString cache, CancellationToken cancellationToken)
    {
        try
        {
            var options = await cache.OptionsAsync("apphost-flush", cancellationToken);
            options.AllowAdmin = true; // FLUSHDB
            await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
            var keys = 0L;
            foreach (var server in connection.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
            {
                keys += await server.DatabaseSizeAsync();
                await server.FlushDatabaseAsync();
            }

            // The services also have entries in memory, and are to load what is to be warm.
            await connection.GetSubscriber().PublishAsync(
                RedisChannel.Literal(CacheNames.Channel), CacheNames.Message(options.ClientName!, [CacheNames.Everything]));

            return CommandResults.Success($"{keys} keys were removed.");
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return CommandResults.Failure($"The cache was not flushed: {exception.Message}");
        }
    }
}
