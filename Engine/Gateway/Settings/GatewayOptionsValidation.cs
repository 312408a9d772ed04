using System.Net;
using Microsoft.Extensions.Options;
using Platform.Gateway.Requests;

namespace Platform.Gateway.Settings;

/// <summary>One sentence per wrong setting, naming its key.</summary>
internal sealed class GatewayOptionsValidation : IValidateOptions<GatewayOptions>
{
    /// <inheritdoc />
    public ValidateOptionsResult Validate(string? name, GatewayOptions options)
    {
        var failures = SettingLimits.Mistakes(GatewayOptions.Section, options).ToList();
        Check(IPAddress.TryParse(options.BindAddress, out _), $"Gateway:BindAddress '{options.BindAddress}' is not an IP address.");
        Check(options.ReplicaSet.Length > 0, "Gateway:ReplicaSet is empty.");
        Check(
            options.AdvertisedHost is null or "" || (options.AdvertisedHost.LastIndexOf(':') is > 0 and var colon
                && ushort.TryParse(options.AdvertisedHost.AsSpan(colon + 1), out _)),
            $"Gateway:AdvertisedHost '{options.AdvertisedHost}' is not of the form host:port.");
        Check(
            options.RootUsername.Length > 0 || options.RootPassword.Length == 0, "Gateway:RootUsername is missing, but there is a Gateway:RootPassword.");
        Check(options.RootPassword.Length > 0 || options.RootUsername.Length == 0, "Gateway:RootPassword is missing.");
        Check(
            options.RootUsername.Length == 0 || Names.IsUser(options.RootUsername),
            $"Gateway:RootUsername is longer than {Names.LongestUser} bytes or has a control character.");
        Check(
            !Names.IsReserved(options.RootUsername),
            $"Gateway:RootUsername '{options.RootUsername}' is a name that the backend keeps for itself.");
        Check(
            options.EngineConnectionsPerUser > 0 && options.EngineConnectionsPerUser <= Math.Max(1, options.MaxEngineConnections),
            "Gateway:MaxEngineConnectionsPerUser is not between 1 and Gateway:MaxEngineConnections.");
        Check(
            options.EngineConnectionsReserved >= 0 && options.EngineConnectionsReserved < Math.Max(1, options.MaxEngineConnections),
            "Gateway:ReservedEngineConnections is not between 0 and Gateway:MaxEngineConnections less one.");
        Check(
            string.IsNullOrEmpty(options.TlsCertificateFile) == string.IsNullOrEmpty(options.TlsKeyFile),
            "Gateway:TlsCertificateFile and Gateway:TlsKeyFile must be set together.");
        Check(
            options.TlsClientCaFile is null or "" || options.TlsCertificateFile is { Length: > 0 },
            "Gateway:TlsClientCaFile asks for client certificates, but there is no Gateway:TlsCertificateFile.");
        foreach (var (key, file) in ((string, string?)[])[
            (nameof(options.TlsCertificateFile), options.TlsCertificateFile), (nameof(options.TlsKeyFile), options.TlsKeyFile),
            (nameof(options.TlsClientCaFile), options.TlsClientCaFile)])
        {
            Check(file is null or "" || File.Exists(file), $"Gateway:{key} '{file}' does not exist.");
        }

        failures.AddRange(options.Audit.Mistakes($"{GatewayOptions.Section}:{nameof(options.Audit)}"));
        CheckMembers(options);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void CheckMembers(GatewayOptions options)
        {
            if (!options.IsManaged)
            {
                return;
            }

            var hosts = options.MemberHosts;
            foreach (var host in hosts)
            {
                Check(
                    host.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(host.AsSpan(colon + 1), out var port) && port > 0,
                    $"Gateway:Members has '{host}', which is not of the form host:port.");
            }

            Check(hosts.Distinct(StringComparer.Ordinal).Count() == hosts.Count, "Gateway:Members names a member twice.");
            Check(hosts.Count % 2 == 1 && hosts.Count <= 7, "Gateway:Members must name an odd number of members, at most 7.");
            Check(options.Member <= hosts.Count, $"Gateway:Member is {options.Member}, but Gateway:Members has {hosts.Count}.");
            foreach (var (key, directory) in ((string, string?)[])[
                (nameof(options.ServerImage), options.ServerImage), (nameof(options.NativeScripts), options.NativeScripts)])
            {
                Check(Directory.Exists(directory), $"Gateway:{key} '{directory}' does not exist.");
            }

            Check(Path.IsPathFullyQualified(options.DataDirectory ?? ""), $"Gateway:DataDirectory '{options.DataDirectory}' is not a full path.");
            Check(
                !options.IsEncryptedAtRest || File.Exists(options.PassPhraseFile),
                $"Gateway:PassPhraseFile '{options.PassPhraseFile}' does not exist: without it, what is encrypted cannot be read.");
            Check(Path.IsPathFullyQualified(options.SocketDirectory ?? ""), $"Gateway:SocketDirectory '{options.SocketDirectory}' is not a full path.");
        }

        void Check(bool holds, string sentence)
        {
            if (!holds)
            {
                failures.Add(sentence);
            }
        }
    }
}
