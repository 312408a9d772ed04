using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using Platform.Api.Callers;
using Platform.Api.Problems;

namespace Platform.Api.Limits;

/// <summary>
/// Limits requests per client, which is who a token names or else an address, and per tenant, so that one
/// caller's loop does not take the database from the others. Who is over a limit gets 429 at once, before anything is read or asked.
/// </summary>
internal static class RequestLimits
{
    // Callers share so many buckets, by hashes that nobody outside knows: memory is bounded however many addresses and
    // made-up tenants there are, and two busy ones hardly ever meet.
    internal const int Buckets = 1 << 14;

    // What a provider gives to one customer: https://www.rfc-editor.org/rfc/rfc6177
    private const int NetworkBytes = 8;

    public static void AddRequestLimits(this IServiceCollection services)
    {
        services.AddOptions<RateLimitOptions>()
            .BindSettings(RateLimitOptions.Section)
            .ValidateLimits(RateLimitOptions.Section);
        services.AddRateLimiter(_ => { });
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<RateLimitOptions>, IServiceProvider>((limiter, limits, provider) =>
        {
            var haveTokens = provider.HaveTokens();
            limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(
                Limiter(http => (object?)Caller.Of(http)?.Subject ?? Client(http.Connection.RemoteIpAddress), limits.Value.Client),
                Limiter(http => Tenant(http, haveTokens), limits.Value.Tenant));
            limiter.OnRejected = async (rejected, _) => await RejectAsync(rejected.HttpContext, rejected.Lease);
        });
    }

    // Somebody has 2^64 addresses in a network of IPv6, and could be another client with every request.
    internal static IPAddress Client(IPAddress? address) => address switch
    {
        // No connection but of this process.
        null => IPAddress.Loopback,
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => new IPAddress(
            [.. address.GetAddressBytes()[..NetworkBytes], .. new byte[NetworkBytes]]),
        _ => address,
    };

    // Who does not belong to a tenant is refused, and does not take from what those who do may ask.
    private static string? Tenant(HttpContext http, bool haveTokens) =>
        http.GetRouteValue(CallerExtensions.TenantParameter) is string tenant
            && (haveTokens ? Caller.Of(http)?.BelongsTo(tenant) ?? false : true) ? tenant : null;

    internal static int Bucket(object key) => HashCode.Combine(key) & (Buckets - 1);

    private static PartitionedRateLimiter<HttpContext> Limiter(Func<HttpContext, object?> caller, RateLimit limit) =>
        PartitionedRateLimiter.Create<HttpContext, int>(http => caller(http) is not { } key
            ? RateLimitPartition.GetNoLimiter(-1)
            : RateLimitPartition.GetTokenBucketLimiter(Bucket(key), _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = limit.Burst,
                TokensPerPeriod = limit.PerSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            }));

    private static Task RejectAsync(HttpContext http, RateLimitLease lease)
    {
        var after = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(1);
        return ApiProblem.TooMany(http, after).ExecuteAsync(http);
    }
}
