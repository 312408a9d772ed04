namespace Platform.Tests.Unit.Migrator.States;

/// <summary>Ends all that a killed process still wanted to do.</summary>
internal sealed class ModelKilledException : Exception;
