using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Options;
using Platform.Api.Problems;
using Platform.ServiceDefaults.Http;

namespace Platform.Api.Callers;

/// <summary>Answers callers from the addresses that may call the API alone (<see cref="ApiOptions.AllowedAddresses"/>).</summary>
internal static partial class AllowedAddresses
{
    // Whoever has a network of addresses fills neither the log nor the memory.
    private const int MostRemembered = 100;

    private static readonly TimeSpan s_quiet = TimeSpan.FromMinutes(1);

    /// <summary>Refuses others; after what finds out the client's address, and after the routing: probes may ask from anywhere.</summary>
    /// <param name="app">The web application.</param>
    public static void UseAllowedAddresses(this WebApplication app)
    {
        var ranges = AddressRange.ListOf(app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.AllowedAddresses) ?? [];
        if (ranges.Count == 0)
        {
            return;
        }

        var time = app.Services.GetRequiredService<TimeProvider>();
        var told = new ConcurrentDictionary<IPAddress, DateTimeOffset>();
        app.Use((http, next) =>
        {
            // What comes without an address, as by a Unix socket, comes from nowhere that is allowed.
            var address = http.Connection.RemoteIpAddress ?? IPAddress.None;
            if (ranges.Contains(address) || http.GetEndpoint()?.Metadata.GetMetadata<OperationsEndpoint>() is not null)
            {
                return next(http);
            }

            Tell(app.Logger, address, told, time.GetUtcNow());
            return ApiProblem.Of(
                StatusCodes.Status403Forbidden, "Callers from this address are not answered.",
                "It is none of those from which the API may be called.").ExecuteAsync(http);
        });
    }

    private static void Tell(ILogger logger, IPAddress address, ConcurrentDictionary<IPAddress, DateTimeOffset> told, DateTimeOffset now)
    {
        if (told.TryGetValue(address, out var last) && now - last < s_quiet)
        {
            return;
        }

        if (told.Count >= MostRemembered)
        {
            foreach (var (old, at) in told.Where(entry => now - entry.Value >= s_quiet))
            {
                told.TryRemove(new(old, at));
            }

            if (told.Count >= MostRemembered)
            {
                return;
            }
        }

        told[address] = now;
        Refused(logger, address);
    }

    [LoggerMessage(LogLevel.Warning, "A caller from {Address} is refused: Api:AllowedAddresses does not have it")]
    private static partial void Refused(ILogger logger, IPAddress address);
}
