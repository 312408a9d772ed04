using System.Globalization;
using Platform.AppHost.Stack;
using Platform.Hosting.Security;
using StackExchange.Redis;

namespace Platform.AppHost.Redis;

/// <summary>What people and programs outside the graph need to reach the cache, in the stack file.</summary>
internal static class RedisEntryExtensions
{
    /// <summary>
    /// Adds the entries <c>redis-cli</c>, the arguments with which that program connects as the administrator, and <c>redis-password</c>, which it takes
    /// from its environment (<c>REDISCLI_AUTH</c>): everybody on the machine sees arguments.
    /// </summary>
    public static IResourceBuilder<T> WithRedisCliEntry<T>(this IResourceBuilder<T> cache)
        where T : IResourceWithConnectionString
        => cache.WithStackEntry("redis-cli", connectionString => Arguments(connectionString, cache.Resource.Encryption()?.Certificate.CaFile))
            .WithStackEntry("redis-password", Password);

    /// <summary>Adds the entry <c>ca</c>: the file by which clients know the servers; none without TLS.</summary>
    public static IResourceBuilder<T> WithAuthorityEntry<T>(this IResourceBuilder<T> cache)
        where T : IResourceWithConnectionString
        => cache.Resource.Encryption() is { } encrypted ? cache.WithStackEntry("ca", _ => encrypted.Certificate.CaFile) : cache;

    /// <summary>The arguments of <c>redis-cli</c>, without the password.</summary>
    /// <param name="connectionString">In the form of StackExchange.Redis.</param>
    /// <param name="caFile">The authorities to trust; null: those of the machine.</param>
    /// <returns>Null when no server with a port is named.</returns>
    /// <remarks><see href="https://redis.io/docs/latest/develop/tools/cli/"/></remarks>
    internal static string? Arguments(string connectionString, string? caFile)
    {
        if (RedisUri.Of(connectionString) is not { } address || !Uri.TryCreate(address, UriKind.Absolute, out var uri))
        {
            return null;
        }

        var port = uri.Port > 0 ? uri.Port : 6379;
        var user = uri.UserInfo.Length > 0 ? $" --user {uri.UserInfo.Split(':')[0]}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"-h {uri.Host} -p {port}{user}")
            + (uri.Scheme == "rediss" ? " --tls" : "") + (caFile is null ? "" : $" --cacert {caFile}");
    }

    /// <summary>The password of a connection string, in the form of StackExchange.Redis; empty when it has none.</summary>
    internal static string Password(string connectionString) => ConfigurationOptions.Parse(connectionString).Password ?? "";
}
