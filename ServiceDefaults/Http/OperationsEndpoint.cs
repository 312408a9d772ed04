namespace Platform.ServiceDefaults.Http;

/// <summary>
/// Metadata of endpoints for those who run a service: probes and metrics. They answer under any host and to any address; who may ask them is a setting of their
/// own.
/// </summary>
public sealed class OperationsEndpoint;
