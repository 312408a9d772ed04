using Platform.AppHost.Stack;
using Platform.Hosting.Security;

namespace Platform.AppHost.Redis;

/// <summary>What people and programs outside the graph need to reach the cache, in the stack file.</summary>
internal static class RedisEntryExtensions
{
    /// <summary>Adds the entry <c>redis-cli</c>: the arguments with which that program connects, as the administrator.</summary>
    public static IResourceBuilder<T> WithRedisCliEntry<T>(this IResourceBuilder<T> cache)
        where T : IResourceWithConnectionString
        => cache.WithStackEntry("redis-cli", connectionString => Arguments(connectionString, cache.Resource.Encryption()?.Certificate.CaFile));

    /// <summary>Adds the entry <c>ca</c>: the file by which clients know the servers; none without TLS.</summary>
    public static IResourceBuilder<T> WithAuthorityEntry<T>(this IResourceBuilder<T> cache)
        where T : IResourceWithConnectionString
        => cache.Resource.Encryption() is { } encrypted ? cache.WithStackEntry("ca", _ => encrypted.Certificate.CaFile) : cache;

    /// <summary>The arguments of <c>redis-cli</c>.</summary>
    /// <param name="connectionString">In the form of StackExchange.Redis.</param>
    /// <param name="caFile">The authorities to trust; null: none.</param>
    internal static string? Arguments(string connectionString, string? caFile) =>
        RedisUri.Of(connectionString) is { } uri ? caFile is null ? $"-u {uri}" : $"-u {uri} --cacert {caFile}" : null;
}
