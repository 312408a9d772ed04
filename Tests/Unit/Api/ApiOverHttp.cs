using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Tests.Unit.Api;

/// <summary>The API on a real server and a port of its own, asked by bytes: what no client library would send.</summary>
internal sealed class ApiOverHttp : IDisposable
{
    private readonly ApiFactory _api;
    private readonly RawHttpClient _client;

    public ApiOverHttp(ApiFactory api)
    {
        _api = api;
        api.UseKestrel(0);
        api.StartServer();
        var addresses = api.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Address = new IPEndPoint(IPAddress.Loopback, new Uri(addresses.First()).Port);
        _client = new RawHttpClient(Address);
    }

    public IPEndPoint Address { get; }

    /// <summary>Sends a head as text, with the lines' ends and the usual Host, and a body.</summary>
    public Task<RawAnswer> SendAsync(string head, byte[]? body, CancellationToken cancellationToken)
    {
        var lines = head.Split('\n', StringSplitOptions.TrimEntries);
        var host = lines.Any(line => line.StartsWith("Host:", StringComparison.Ordinal)) ? "" : "Host: localhost\r\n";
        var length = body is null ? "" : $"Content-Length: {body.Length}\r\n";
        byte[] request = [.. Encoding.UTF8.GetBytes($"{string.Join("\r\n", lines)}\r\n{host}{length}\r\n"), .. body ?? []];
        return _client.SendAsync(request, lines[0].StartsWith("HEAD ", StringComparison.Ordinal), cancellationToken);
    }

    public void Dispose()
    {
        _client.Dispose();
        _api.Dispose();
    }
}
