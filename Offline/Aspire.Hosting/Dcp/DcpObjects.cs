using System.Text.Json.Serialization;

namespace Aspire.Hosting.Dcp;

// The objects of dcp's API as far as they are used here; the API is Kubernetes-like: kind, metadata, spec (what is wanted), status (what is).

internal sealed class DcpMetadata
{
    public required string Name { get; init; }

    public string? Uid { get; init; }

    public Dictionary<string, string>? Annotations { get; init; }
}

internal sealed class DcpEnvironmentVariable
{
    public required string Name { get; init; }

    public string? Value { get; init; }
}

internal sealed class DcpExecutable
{
    public string ApiVersion { get; init; } = DcpClient.ApiVersion;

    public string Kind { get; init; } = "Executable";

    public required DcpMetadata Metadata { get; init; }

    public DcpExecutableSpec? Spec { get; init; }

    public DcpExecutableStatus? Status { get; init; }
}

internal sealed class DcpExecutableSpec
{
    public string? ExecutablePath { get; init; }

    public string? WorkingDirectory { get; init; }

    public IReadOnlyList<string>? Args { get; init; }

    public IReadOnlyList<DcpEnvironmentVariable>? Env { get; init; }
}

internal sealed class DcpExecutableStatus
{
    public string? State { get; init; }

    public int? Pid { get; init; }

    public int? ExitCode { get; init; }

    public DateTime? StartupTimestamp { get; init; }

    public DateTime? FinishTimestamp { get; init; }
}

internal sealed class DcpService
{
    public string ApiVersion { get; init; } = DcpClient.ApiVersion;

    public string Kind { get; init; } = "Service";

    public required DcpMetadata Metadata { get; init; }

    public DcpServiceSpec? Spec { get; init; }

    public DcpServiceStatus? Status { get; init; }
}

internal sealed class DcpServiceSpec
{
    /// <summary>TCP or UDP; without it dcp stays silent for ever.</summary>
    public string? Protocol { get; init; }

    public string? Address { get; init; }

    public int? Port { get; init; }

    public string? AddressAllocationMode { get; init; }
}

internal sealed class DcpServiceStatus
{
    public string? State { get; init; }

    public string? EffectiveAddress { get; init; }

    public int? EffectivePort { get; init; }
}

/// <summary>An entry of the annotation <c>service-producer</c>, which is a JSON array in a string.</summary>
internal sealed class DcpServiceProducer
{
    public required string ServiceName { get; init; }

    public string? Address { get; init; }

    public int? Port { get; init; }
}

internal sealed class DcpWatchEvent<T>
{
    public required string Type { get; init; }

    public required T Object { get; init; }
}

/// <summary>An error answer.</summary>
internal sealed class DcpError
{
    public string? Message { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DcpExecutable))]
[JsonSerializable(typeof(DcpService))]
[JsonSerializable(typeof(DcpWatchEvent<DcpExecutable>))]
[JsonSerializable(typeof(DcpWatchEvent<DcpService>))]
[JsonSerializable(typeof(List<DcpServiceProducer>))]
[JsonSerializable(typeof(DcpError))]
internal sealed partial class DcpJson : JsonSerializerContext;
